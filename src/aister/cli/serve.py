"""`aister serve`: the HTTP interface, until Ctrl-C."""

import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["serve"]


def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; others than loopback need TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8700,
    url: Annotated[
        list[str] | None, typer.Option(help="Another address people reach it by, https://...; may be repeated.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    without_tls: Annotated[
        bool, typer.Option("--without-tls", help="Serve others without TLS: tokens can be read on the way.")
    ] = False,
) -> None:
    """Serve the HTTP interface and its reference page. Ctrl-C stops it."""
    import time
    from contextlib import ExitStack

    from aister.adapters.store.home import open_home
    from aister.api.setup.service import Setup, new_token
    from aister.app import serve as serving
    from aister.cli import shown

    settings = serving.ServeSettings(
        host=host, port=port, urls=tuple(url or ()), certificate=certificate, key=key, plain=without_tls
    ).check()
    home, token = open_home(), new_token()
    with ExitStack() as stack:
        bound = stack.enter_context(serving.listening(settings))
        at = int(bound.getsockname()[1])
        parts = serving.make_parts(settings, at, home, Setup(token, time.monotonic))
        where = token if sys.stdout.isatty() else f"in {stack.enter_context(serving.token_file(home, token))}"

        def ready() -> None:
            print(shown(f"URL        {settings.url(at)}"))
            print(shown(f"set-up     {where} (good once, for an hour)"), flush=True)

        serving.serve(settings, parts, bound, ready)
    print("Stopped.", file=sys.stderr)
