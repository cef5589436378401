import tempfile


class Run:
    """The export `wasi:cli/run`: `run` is what the command does."""

    def run(self) -> None:
        with tempfile.NamedTemporaryFile("w+", suffix=".txt") as file:
            file.write("scratch\n")
            file.seek(0)
            print(file.read(), end="")
        # The file is removed here. After a trap the host removes it.
