"""Start-up code of a componentize-py build: puts this folder before the standard library.

Python imports a module of this name, if there is one on the path, before any other. It is needed
because componentize-py puts the standard library, with its own `tempfile`, first.
"""

import os
import sys

if sys.platform == "wasi":
    sys.path.insert(0, os.path.dirname(__file__))
