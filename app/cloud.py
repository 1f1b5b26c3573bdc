"""`kezekshi cloud …`: the desk's cloud, from the command line."""

import typer

from app import cloud_drift, cloud_look
from app.cloud_action import action

cloud = typer.Typer(help="The desk's cloud: how it is, what is there, and what is done.", no_args_is_help=True)
cloud.command("check")(cloud_look.check)
cloud.command("servers")(cloud_look.servers)
cloud.command("quota")(cloud_look.quota)
cloud.command("drift")(cloud_drift.drift)
cloud.add_typer(action, name="action")
