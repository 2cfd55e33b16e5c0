"""The command line: thin functions that read settings, wire, call and choose an exit code."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import typer

from whatsapp_etl import __version__
from whatsapp_etl.cli_agent import app as agent_app
from whatsapp_etl.cli_attachments import app as attachments_app
from whatsapp_etl.cli_extract import extract
from whatsapp_etl.cli_session import app as session_app
from whatsapp_etl.cli_words import chosen_state, instant_of
from whatsapp_etl.errors import ConfigurationError, WhatsappEtlError
from whatsapp_etl.vault.bounded import leave

app = typer.Typer(
    name="whatsapp-etl",
    help="Keeps a Postgres database in step with a WhatsApp account.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
selectors_app = typer.Typer(help="The descriptions of WhatsApp Web's pages.", no_args_is_help=True)
db_app = typer.Typer(help="The database.", no_args_is_help=True)
shield_app = typer.Typer(help="The shield against read receipts.", no_args_is_help=True)
runs_app = typer.Typer(help="The last cycles, one a line.", invoke_without_command=True)
events_app = typer.Typer(help="What is told outside: events and their delivery.", no_args_is_help=True)
app.add_typer(runs_app, name="runs")
app.add_typer(events_app, name="events")
app.add_typer(agent_app, name="agent")
app.add_typer(selectors_app, name="selectors")
app.add_typer(db_app, name="db")
app.add_typer(shield_app, name="shield")
app.add_typer(session_app, name="session")
app.add_typer(attachments_app, name="attachments")
app.command()(extract)


@app.command()
def login(
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Draw the QR code here, open no window.")
    ] = False,
    png: Annotated[
        Path | None,
        typer.Option(help="Write the QR code to this file as long as one can be scanned; open no window."),
    ] = None,
    theme: Annotated[
        Literal["auto", "dark", "light"],
        typer.Option(help="What the terminal looks like, where it shows no colours or the wrong ones."),
    ] = "auto",
    phone: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="Link with a code that is typed on the phone with this number, written with country code.",
        ),
    ] = None,
    minutes: Annotated[int, typer.Option(min=1, help="How long to wait for the scan.")] = 10,
    replace_account: Annotated[
        bool, typer.Option("--replace-account", help="Make this the account that the database follows.")
    ] = False,
) -> None:
    """Link the account: a person scans a QR code or types a code on the phone, once."""
    from whatsapp_etl import login_command

    login_command.login(
        terminal=terminal, png=png, theme=theme, phone=phone, minutes=minutes, replace_account=replace_account
    )


@app.command()
def sync(
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Run one cycle."""
    from whatsapp_etl import commands

    raise typer.Exit(commands.sync(as_json=as_json))


@app.command()
def backfill(
    days: Annotated[int, typer.Option(min=1, max=36500, help="How far back, from now.")],
    chat: Annotated[
        list[str] | None,
        typer.Option(help="Only this chat, by its id, title or phone number; may be given again."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came of each chat as JSON.")] = False,
) -> None:
    """Read further back than the look-back; run again, it goes on where it stopped."""
    from whatsapp_etl import backfill_command

    raise typer.Exit(backfill_command.backfill(days, chat or (), as_json=as_json))


@app.command()
def run() -> None:
    """Run a cycle every WHATSAPP_SYNC_INTERVAL_MINUTES and serve the status page."""
    from whatsapp_etl import commands

    raise typer.Exit(commands.run())


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the first cycle.")] = False,
    chats: Annotated[int, typer.Option(help="Chats of the stand-in.")] = 12,
    messages: Annotated[int, typer.Option(help="Messages of the stand-in.")] = 400,
) -> None:
    """Show everything at once: the stand-in WhatsApp Web, Postgres, one sync, the status page."""
    from whatsapp_etl.demo import run_demo

    raise typer.Exit(run_demo(once=once, chats=chats, messages=messages))


@app.command()
def simulate(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8090,
    chats: Annotated[int, typer.Option(help="Number of chats.")] = 40,
    messages: Annotated[int, typer.Option(help="Number of messages in all.")] = 4000,
    days: Annotated[int, typer.Option(help="Days over which they are spread.")] = 45,
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 7,
    locale: Annotated[str, typer.Option(help="Language of the page.")] = "en-US",
    timezone: Annotated[str, typer.Option(help="Time zone of the page.")] = "UTC",
    profile: Annotated[
        str, typer.Option(help="Release of the page; several, separated by commas, take turns by page load.")
    ] = "aug26",
    behaviours: Annotated[
        str, typer.Option(help="What goes badly, by names separated by commas; see docs/simulator.md.")
    ] = "",
    page_variants: Annotated[
        str,
        typer.Option(help="Other forms of the page, by names separated by commas; see docs/simulator.md."),
    ] = "",
    repertoire: Annotated[
        Literal["usual", "everything"], typer.Option(help="With everything also what accounts rarely have.")
    ] = "usual",
    pictures: Annotated[
        bool, typer.Option(help="Pictures and stickers in ordinary talk; a large world is faster without.")
    ] = True,
    linked: Annotated[
        bool, typer.Option("--linked", help="Any profile counts as linked; no QR code.")
    ] = False,
    now: Annotated[
        str | None, typer.Option(help="Fix the world's and the page's clock at this instant.")
    ] = None,
) -> None:
    """Serve the stand-in WhatsApp Web."""
    from whatsapp_etl.simulator.serve import SimulatorOptions, serve

    instant = instant_of(now) if now else None
    try:
        options = SimulatorOptions(
            host=host,
            port=port,
            chats=chats,
            messages=messages,
            days=days,
            seed=seed,
            locale=locale,
            timezone=timezone,
            profile=profile,
            repertoire=repertoire,
            pictures=pictures,
            behaviours=tuple(name for name in behaviours.split(",") if name),
            page_variants=tuple(name for name in page_variants.split(",") if name),
            linked=linked,
            now=instant,
        )
    except ValueError as error:
        raise ConfigurationError(f"No world can be made of these options: {error}") from error
    try:
        serve(options, on_ready=lambda url: typer.echo(f"Stand-in WhatsApp Web: {url}"))
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on {host}, port {port}: {error.strerror}.",
            "Choose another --port; 0 takes a free one.",
        ) from error


@app.command()
def parse(
    files: Annotated[
        list[Path],
        typer.Argument(help="Saved pages or snapshots of an open chat.", exists=True, dir_okay=False),
    ],
    locale: Annotated[str, typer.Option(help="Language the page was shown in.")] = "en-US",
    timezone: Annotated[str, typer.Option(help="Time zone of the browser that showed it.")] = "UTC",
    own_name: Annotated[
        str | None, typer.Option(help="The account's own name, as written before own messages.")
    ] = None,
    chat_id: Annotated[
        str | None, typer.Option(help="The chat's id, for pages that show bare message ids.")
    ] = None,
    own_id: Annotated[str | None, typer.Option(help="The account's id, for the same pages.")] = None,
    today: Annotated[str | None, typer.Option(help='The day of saving, for "Today": 2026-08-23.')] = None,
    pack: Annotated[
        str, typer.Option(help="Selector pack by its name or file; auto chooses by the page.")
    ] = "auto",
) -> None:
    """Print what the parser makes of saved pages and snapshots, one JSON object a line."""
    from whatsapp_etl import pack_commands

    pack_commands.parse(
        files,
        locale=locale,
        timezone=timezone,
        own_name=own_name,
        chat_id=chat_id,
        own_id=own_id,
        today=_day(today) if today else None,
        pack=pack,
    )


@runs_app.callback()
def runs(
    context: typer.Context,
    last: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Print the last cycles, one a line, newest first."""
    from whatsapp_etl import ledger_commands

    if context.invoked_subcommand is None:
        ledger_commands.list_runs(last, as_json=as_json)


@runs_app.command("show")
def runs_show(
    number: Annotated[int, typer.Argument(help="The cycle's number, as `runs` prints it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as one JSON object.")] = False,
) -> None:
    """Print everything that is known about one cycle, and which chats it changed."""
    from whatsapp_etl import ledger_commands

    ledger_commands.show_run(number, as_json=as_json)


@app.command()
def why(
    external_id: Annotated[str, typer.Argument(help="A message key, as `messages.external_id` writes it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    with_text: Annotated[bool, typer.Option("--text", help="Print what the message says, too.")] = False,
) -> None:
    """Tell where a message comes from, or why it is not there and what happens next."""
    from whatsapp_etl import ledger_commands

    ledger_commands.explain(external_id, as_json=as_json, with_text=with_text)


@events_app.command("list")
def events_list(
    last: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    dead: Annotated[bool, typer.Option("--dead", help="Only those with a delivery given up.")] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Only those with one still to do.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Print the last events, newest first, and how far each came with each webhook."""
    from whatsapp_etl import event_commands

    state = chosen_state(dead=dead, pending=pending)
    event_commands.list_events(last, state, as_json=as_json)


@events_app.command("replay")
def events_replay(
    event_id: Annotated[
        UUID | None, typer.Argument(help="An event's id, as `events list` prints it.")
    ] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Everything that was given up.")] = False,
    since: Annotated[
        str | None, typer.Option(help="Everything since this instant: 2026-08-23T12:00:00Z.")
    ] = None,
) -> None:
    """Deliver again, under the same ids: one event, what was given up, or all since an instant."""
    from whatsapp_etl import event_commands

    event_commands.replay(event_id, instant_of(since) if since else None, dead=dead)


@selectors_app.command("check")
def selectors_check(
    page: Annotated[
        Path | None,
        typer.Argument(
            help="A snapshot or saved page; the running page when left out.", exists=True, dir_okay=False
        ),
    ] = None,
    pack: Annotated[
        str | None,
        typer.Option(help="Pack by its name or file; the one that fits, or the nearest, when left out."),
    ] = None,
) -> None:
    """Show what each selector of a pack matches on a page, and by which sign its messages are told."""
    from whatsapp_etl import pack_commands

    pack_commands.check_selectors(page, pack)


@selectors_app.command("new")
def selectors_new(
    name: Annotated[str, typer.Argument(help="Name of the new pack, such as 2026-12.")],
    page: Annotated[
        Path, typer.Option("--from", help="The snapshot to begin from.", exists=True, dir_okay=False)
    ],
    base: Annotated[str, typer.Option(help="Pack to begin with; auto takes the nearest.")] = "auto",
    folder: Annotated[Path, typer.Option(help="Where to write it.", file_okay=False, exists=True)] = Path(),
) -> None:
    """Begin a pack for a page that has changed: the nearest pack, with notes of what is gone."""
    from whatsapp_etl import pack_commands

    pack_commands.begin_pack(name, page, base=base, folder=folder)


@app.command()
def forget(
    message: Annotated[str | None, typer.Option(help="Key of a message (`messages.external_id`).")] = None,
    chat: Annotated[str | None, typer.Option(help="Id of a chat (`threads.external_id`).")] = None,
    contact: Annotated[
        str | None, typer.Option(help="Any id of a person: everywhere, with their direct chat.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a message, a chat or a person for good; it is not stored again."""
    from whatsapp_etl import forget_command

    raise typer.Exit(forget_command.forget(message=message, chat=chat, contact=contact, is_agreed=yes))


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    from whatsapp_etl import commands

    commands.migrate()


@app.command()
def doctor(
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every stored file and compare it with its checksum.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Check everything the program needs, with advice; changes nothing."""
    from whatsapp_etl.doctor.command import run_doctor

    raise typer.Exit(run_doctor(deep=deep, as_json=as_json))


@app.command()
def config() -> None:
    """Print every setting in force, secrets masked."""
    from whatsapp_etl import commands

    commands.show_config()


@db_app.command("url")
def db_url() -> None:
    """Print the database's address; the embedded server runs until Ctrl-C."""
    from whatsapp_etl import commands

    commands.db_url()


@db_app.command("psql")
def db_psql(
    command: Annotated[str | None, typer.Option("--command", "-c", help="Run this SQL and end.")] = None,
) -> None:
    """Open a prompt in the database."""
    from whatsapp_etl import commands

    raise typer.Exit(commands.db_psql(command))


@shield_app.command("acknowledge")
def shield_acknowledge() -> None:
    """Let unread chats be opened again after a shield alarm."""
    from whatsapp_etl import commands

    commands.acknowledge_shield()


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f'"{text}" is not a day; write 2026-08-23') from error


def run_command() -> int:
    """Run the command line and return the exit code; every error becomes one line."""
    try:
        app()
    except WhatsappEtlError as error:
        typer.echo(f"whatsapp-etl: {error}", err=True)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def main() -> None:
    """Run the command line, and end this process within seconds, whatever waits in it."""
    leave(run_command())


if __name__ == "__main__":
    main()
