"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option(help="Directorio de datos; ./data si no se indica. · Data directory; ./data unless given."),
]
Host = Annotated[
    str | None,
    typer.Option(help="Dirección en la que escucha; 127.0.0.1. · Address to listen on; 127.0.0.1."),
]
Port = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Puerto en el que escucha; 8000. · Port to listen on; 8000."),
]
