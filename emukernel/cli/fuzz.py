"""`emukernel fuzz`: finds inputs for which a program and its policy don't agree, or it breaks."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from emukernel.fuzz.campaign import Campaign, Settings
    from emukernel.fuzz.target import Target
    from emukernel.policy import Policy

EXIT_FOUND, EXIT_USAGE = 1, 2

_EPILOG = """\
The guest's input is its standard input; with @@ in an ARG it is a file of that name instead, with
--input argv the argument @@ itself. The guest runs once to the fork point, and every run goes on
from there.

The output folder is laid out as AFL's: queue/, crashes/, hangs/, fuzzer_stats, plot_data; with
denied/ for inputs whose run the policy ended, and findings/ for what was found, one JSON file each
(`emukernel replay FILE` repeats it, `emukernel fuzz show DIR` lists them); and report.html, which
`emukernel fuzz report DIR` writes again.

With --policy-only there is no GUEST: POLICY files are looked at by themselves (`emukernel fuzz
--policy-only --help`).

exit status: 0; 1 when something of a kind that --fail-on names was found; 2 for bad usage

examples:
  emukernel fuzz --policy-only policy.txt
  emukernel fuzz --filter policy.txt --out out --time 60 ./parser
  emukernel fuzz --filter policy.txt --seeds samples --jobs 2 --out out ./convert @@
  emukernel fuzz --resume --out out --time 60
  emukernel fuzz --scheduler tcp://10.0.0.1:8786 --filter policy.txt --out out ./parser
  emukernel fuzz show out
  emukernel fuzz report out --sarif out.sarif --junit out.xml
  emukernel fuzz export out corpus
"""

_SHOW = """\
usage: emukernel fuzz show DIR
       emukernel fuzz export DIR CORPUS

Shows how the campaign in DIR stands and what it found; writes its queue to CORPUS as libFuzzer and
AFL++ take it, files named by their SHA-1.
"""


class BadOption(Exception):
    """An option's value is no good; the text is the message."""


class PolicyRefused(Exception):
    """The policy has errors; the text is ready to print."""


def _parser() -> ArgumentParser:
    from argparse import REMAINDER, RawDescriptionHelpFormatter

    from emukernel.cli import fuzz_report
    from emukernel.cli.parser import Parser

    parser = Parser(
        prog="emukernel fuzz",
        usage="emukernel fuzz [option ...] GUEST [ARG ...]",
        description="Fuzzes a static x86-64 program under a policy, in an emulated machine.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    campaign = parser.add_argument_group("the campaign")
    campaign.add_argument("--out", metavar="DIR", help="the output folder")
    campaign.add_argument("--resume", action="store_true", help="go on with what is in --out")
    campaign.add_argument("--time", metavar="SECONDS", help="end after so long")
    campaign.add_argument("--execs", metavar="N", help="end after so many runs")
    campaign.add_argument(
        "--jobs", metavar="N", help="processes (1); with --scheduler slices at a time (its threads)"
    )
    campaign.add_argument(
        "--scheduler", metavar="ADDRESS", help="fuzz on the Dask cluster of this scheduler"
    )
    campaign.add_argument(
        "--seed", metavar="N", default="0", help="of all randomness: one job is reproducible (0)"
    )
    campaign.add_argument(
        "--no-audit", dest="audit", action="store_false",
        help="leave out what --policy-only finds about the policy",
    )
    campaign.add_argument(
        "--syscalls", action="store_true",
        help="no GUEST: made-up system calls under the policy, if any",
    )
    campaign.add_argument(
        "--self-check", action="store_true",
        help="only ask whether the filter engine agrees with a plain evaluator (GUEST optional)",
    )
    campaign.add_argument(
        "--minimize-policy", metavar="FILE",
        help="write the tightest policy that every run passes to FILE",
    )
    campaign.add_argument(
        "--fail-on", metavar="KIND,...", default="", help="exit with 1 if such a thing was found"
    )
    fuzz_report.add_options(parser)
    inputs = parser.add_argument_group("inputs")
    inputs.add_argument("--input", metavar="WAY", help="stdin, file or argv (by where @@ is)")
    inputs.add_argument("--seeds", metavar="DIR", help="first inputs, one a file")
    inputs.add_argument("--dictionary", metavar="FILE", help="words, as in AFL's dictionaries")
    inputs.add_argument(
        "--generator", metavar="FILE", help="a Python file with a class Generator that makes inputs"
    )
    inputs.add_argument("--grammar", metavar="FILE", help="a grammar that inputs are made by")
    inputs.add_argument(
        "--mutator", metavar="FILE", help="a Python file with a class Mutator of your own"
    )
    inputs.add_argument("--max-len", metavar="N", default="4096", help="bytes of an input (4096)")
    runs = parser.add_argument_group("runs")
    runs.add_argument("--filter", metavar="FILE", help="the policy that the guest runs under")
    runs.add_argument("--filter-text", metavar="TEXT", help="the policy TEXT")
    runs.add_argument("--seccomp-abi", metavar="ABI", default="v1", help="its interface (v1)")
    runs.add_argument(
        "--fork-at", metavar="PLACE", default="",
        help="where runs begin: a symbol, 0xADDRESS or syscall:NAME (the first use of the input)",
    )
    runs.add_argument(
        "--exec-timeout", metavar="SECONDS", default="1", help="a run that takes longer hangs (1)"
    )
    runs.add_argument(
        "--max-instructions", metavar="N", default="20000000",
        help="... if it takes more instructions than this, too (20000000)",
    )
    runs.add_argument("--memory", metavar="SIZE", default="256M", help="RAM (256M)")
    runs.add_argument("--root", metavar="DIR", help="a host directory as the guest's root")
    runs.add_argument(
        "--bind", action="append", default=[], metavar="HOST:GUEST",
        help="a host file or directory in the guest's tree; changes stay in memory",
    )
    runs.add_argument("--env", "-E", action="append", default=[], metavar="K=V", help="a variable")
    runs.add_argument("--cwd", metavar="DIR", default="/", help="working directory (/)")
    parser.add_argument(
        "guest", metavar="GUEST", nargs=REMAINDER, help="the program and its arguments"
    )
    return parser


def main(argv: list[str]) -> int:
    """Parses the options and runs the campaign."""
    if argv[:1] == ["show"] or argv[:1] == ["export"]:
        return _folder_command(argv)
    if argv[:1] == ["report"]:
        from emukernel.cli import fuzz_report

        return fuzz_report.main(argv[1:])
    own = argv[: argv.index("--")] if "--" in argv else argv
    if "--policy-only" in own:
        from emukernel.cli import fuzz_policy

        return fuzz_policy.main(argv)
    parser = _parser()
    arguments = parser.parse_args(argv)
    from emukernel.api import UsageError
    from emukernel.machine.libunicorn import MachineError

    try:
        kinds = _kinds(arguments.fail_on)
        if arguments.self_check:
            return _self_check(arguments, kinds)
        settings = _settings(arguments, ["emukernel", "fuzz", *argv])
        return _run(settings, arguments, kinds)
    except PolicyRefused as error:
        sys.stderr.write(f"{error}\n")
    except (BadOption, UsageError, ValueError, MachineError) as error:
        _say(str(error))
    except OSError as error:
        _say(f"{error.filename or ''}: {error.strerror or error}")
    return EXIT_USAGE


def _say(text: str) -> None:
    sys.stderr.write(f"emukernel fuzz: {text}\n")


def _run(settings: Settings, arguments: Namespace, kinds: frozenset[str]) -> int:
    from emukernel.cli.fuzz_report import after_campaign
    from emukernel.cli.fuzz_show import describe

    minimized = arguments.minimize_policy
    if minimized is not None and settings.target.policy is None:
        raise BadOption("--minimize-policy: there is no policy (--filter FILE)")
    campaign = _campaign(settings, arguments)
    stats = campaign.run()
    found = campaign.findings()
    sys.stdout.write(describe(found))
    if stats.tightness is not None:
        killed, mutants = stats.tightness
        sys.stdout.write(f"Tightness: the runs killed {killed} of {mutants} policy mutants.\n")
    if minimized is not None:
        with open(minimized, "w", encoding="utf-8") as file:
            file.write(campaign.folder.read_json("loose.json")["policy"])
    after_campaign(
        campaign.folder, settings.target, found, arguments, seconds=stats.seconds,
        interrupted=campaign.interrupted, command=settings.command, fail_on=kinds,
    )
    return EXIT_FOUND if any(finding.kind in kinds for finding in found) else 0


def _self_check(arguments: Namespace, kinds: frozenset[str]) -> int:
    from emukernel.cli.fuzz_report import write_findings
    from emukernel.cli.fuzz_show import describe
    from emukernel.fuzz.selfcheck import self_check

    count = _number(arguments.execs or "2000", "--execs", 1)
    seed = _number(arguments.seed, "--seed", 0)
    target = _target(arguments) if arguments.guest else None
    policy = target.policy if target is not None else _policy(arguments)
    check = self_check(count, seed, target, policy)
    sys.stdout.write(
        f"{check.expressions} expressions, {check.evaluations} calls: "
        f"{len(check.findings)} disagreements.\n"
    )
    if check.findings:
        sys.stdout.write(describe(check.findings))
    write_findings(
        check.findings, [], sarif=arguments.sarif, junit=arguments.junit, kinds=("engine",),
        fail_on=kinds,
    )
    return EXIT_FOUND if check.findings and "engine" in kinds else 0


def _folder_command(argv: list[str]) -> int:
    from emukernel.fuzz.corpus import Folder, export

    command, *rest = argv
    wanted = 1 if command == "show" else 2
    if rest[:1] in (["-h"], ["--help"]):
        sys.stdout.write(_SHOW)
        return 0
    if len(rest) != wanted:
        _say(f"{command} takes {'DIR' if wanted == 1 else 'DIR and CORPUS'}")
        return EXIT_USAGE
    folder = Folder(rest[0])
    if not folder.exists():
        _say(f"{rest[0]}: no campaign is there (no campaign.json)")
        return EXIT_USAGE
    if command == "export":
        try:
            count = export(folder, rest[1])
        except OSError as error:
            _say(f"{error.filename}: {error.strerror}")
            return EXIT_USAGE
        sys.stdout.write(f"{count} inputs\n")
        return 0
    from emukernel.cli.fuzz_show import summary

    sys.stdout.write(summary(folder))
    return 0


# -- options -----------------------------------------------------------------------------------


def _settings(arguments: Namespace, command: list[str]) -> Settings:
    from shlex import join

    from emukernel.fuzz.campaign import Settings
    from emukernel.fuzz.corpus import Folder

    if arguments.out is None:
        raise BadOption("--out DIR is needed")
    seconds = None if arguments.time is None else _seconds(arguments.time, "--time")
    execs = None if arguments.execs is None else _number(arguments.execs, "--execs", 1)
    folder = Folder(arguments.out)
    if arguments.resume:
        if not folder.exists():
            raise BadOption(f"--resume: {arguments.out}: no campaign is there")
        if arguments.guest:
            raise BadOption("--resume goes on with the folder's own GUEST: give none")
        settings = Settings.from_json(folder.read_json("campaign.json"))
        settings.out = arguments.out
        settings.seconds, settings.execs = seconds, execs
        settings.jobs = _jobs(arguments)
        return settings
    if os.path.isdir(arguments.out) and os.listdir(arguments.out):
        raise BadOption(f"--out: {arguments.out} is not empty (--resume goes on with a campaign)")
    target = _calls_target(arguments) if arguments.syscalls else _target(arguments)
    for option in ("dictionary", "generator", "grammar", "mutator"):
        path = getattr(arguments, option)
        if path is not None and not os.path.isfile(path):
            raise BadOption(f"--{option}: {path}: no such file")
    ways = (arguments.generator, arguments.grammar, arguments.mutator)
    if sum(way is not None for way in ways) > 1:
        raise BadOption("--generator, --grammar and --mutator exclude each other")
    if arguments.seeds is not None and not os.path.isdir(arguments.seeds):
        raise BadOption(f"--seeds: {arguments.seeds}: no such directory")
    return Settings(
        target=target,
        out=arguments.out,
        seconds=seconds,
        execs=execs,
        jobs=_jobs(arguments),
        seed=_number(arguments.seed, "--seed", 0),
        seeds=arguments.seeds,
        dictionary=arguments.dictionary,
        mutator=arguments.mutator,
        grammar=arguments.grammar,
        generator=arguments.generator,
        syscalls=arguments.syscalls,
        audit=arguments.audit,
        command=join(command),
    )


def _target(arguments: Namespace) -> Target:
    from emukernel.cli.run import _bind, _size
    from emukernel.fuzz.target import ARGV, FILE, INPUT_MODES, PLACEHOLDER, STDIN, Target

    guest: list[str] = arguments.guest
    if guest and guest[0] == "--":
        guest = guest[1:]
    if not guest:
        raise BadOption("no GUEST given: emukernel fuzz [option ...] GUEST [ARG ...]")
    placed = any(PLACEHOLDER in word for word in guest[1:])
    mode = arguments.input or (FILE if placed else STDIN)
    if mode not in INPUT_MODES:
        raise BadOption(f"--input: {mode!r} is not stdin, file or argv")
    if mode == FILE and not placed:
        raise BadOption("--input file: no ARG has @@ for the file's name")
    if mode == ARGV and PLACEHOLDER not in guest[1:]:
        raise BadOption("--input argv: no ARG is @@")
    binds = []
    for text in arguments.bind:
        try:
            bind = _bind(text)
        except Exception as error:
            raise BadOption(str(error)) from None
        if bind[2]:
            raise BadOption(f"--bind: {text!r}: what a run writes to the host can't be taken back")
        binds.append(bind)
    variables = []
    for text in arguments.env:
        if not text.partition("=")[1] or text.startswith("="):
            raise BadOption(f"--env: {text!r} is not K=V")
        variables.append(os.fsencode(text))
    try:
        memory = _size(arguments.memory)
    except Exception as error:
        raise BadOption(str(error)) from None
    program = guest[0]
    if arguments.root is None and os.path.isfile(program):
        program = os.path.abspath(program)
    return Target(
        program=program,
        argv=tuple(guest),
        mode=mode,
        policy=_policy(arguments),
        env=tuple(variables),
        memory=memory,
        root=arguments.root,
        binds=tuple(binds),
        cwd=arguments.cwd,
        seed=_number(arguments.seed, "--seed", 0),
        seccomp_abi=arguments.seccomp_abi,
        fork_at=arguments.fork_at,
        max_len=_number(arguments.max_len, "--max-len", 1, 1 << 20),
        exec_timeout=_seconds(arguments.exec_timeout, "--exec-timeout"),
        max_instructions=_number(arguments.max_instructions, "--max-instructions", 1),
    )


def _calls_target(arguments: Namespace) -> Target:
    from emukernel.fuzz.syscalls import calls_target

    if arguments.guest:
        raise BadOption("--syscalls takes no GUEST")
    return calls_target(_policy(arguments), seed=_number(arguments.seed, "--seed", 0))


def _policy(arguments: Namespace) -> Policy | None:
    if arguments.filter is not None and arguments.filter_text is not None:
        raise BadOption("--filter and --filter-text exclude each other")
    from emukernel.policy import Policy, PolicyError

    try:
        if arguments.filter is not None:
            return Policy.from_file(arguments.filter)
        if arguments.filter_text is not None:
            return Policy.from_text(arguments.filter_text, file="--filter-text")
    except PolicyError as error:
        raise PolicyRefused(str(error)) from None
    return None


def _jobs(arguments: Namespace) -> int:
    if arguments.jobs is None:
        return 1 if arguments.scheduler is None else 0
    return _number(arguments.jobs, "--jobs", 1)


def _campaign(settings: Settings, arguments: Namespace) -> Campaign:
    from emukernel.fuzz.campaign import Campaign
    from emukernel.fuzz.screen import make_progress

    progress = make_progress(settings, sys.stderr)
    if arguments.scheduler is None:
        return Campaign(settings, progress, resume=arguments.resume)
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise BadOption("--scheduler: Dask is not installed (pip install 'emukernel[cluster]')")
    import logging

    from emukernel.fuzz.cluster import ClusterCampaign

    # Workers come and go: that is no news for the screen.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    return ClusterCampaign(settings, arguments.scheduler, progress, resume=arguments.resume)


def _number(text: str, option: str, least: int, most: int = (1 << 63) - 1) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise BadOption(f"{option}: {text!r} is not a number from {least} to {most}")
    return value


def _seconds(text: str, option: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    # A NaN is neither below nor above the limits.
    if not 0.0 < value <= 1e9:
        raise BadOption(f"{option}: {text!r} is not a number of seconds above 0")
    return value


def _kinds(text: str) -> frozenset[str]:
    from emukernel.fuzz.finding import KINDS

    kinds = [word.strip() for word in text.split(",") if word.strip()]
    for kind in kinds:
        if kind not in KINDS:
            raise BadOption(f"--fail-on: no kind {kind!r}; there are: {', '.join(KINDS)}")
    return frozenset(kinds)
