"""`kezekshi cloud …`: the desk's cloud, from the command line."""

import typer

from app.cloud_action import action

cloud = typer.Typer(help="The desk's cloud: what is done there.", no_args_is_help=True)
cloud.add_typer(action, name="action")
