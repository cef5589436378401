"""Python's `tempfile` for WebAssembly plugins that componentize-py builds.

This package is for the build. The plugin imports `tempfile`, which is in the folder `path`, and
the world to build for is in the folder `wit`:

    componentize-py -d "$(python3 -m wasi_tempfile wit)" -w command \\
        componentize app -p . -p "$(python3 -m wasi_tempfile path)" -o app.wasm
"""
