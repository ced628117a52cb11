"""Row 11: many migrations, up and with nothing to do, also over a slow connection; and what they take of memory."""
import functools
import os
import shutil
import subprocess
import sys
import time

import postgres
from delay import Slow
from measure import Contender, Spread, duration
from table import Line, ratio

COUNT = int(os.environ.get("BELAY_BENCH_MIGRATIONS", "500"))
ROUND_TRIP = 0.005
SPEC = """\
apiVersion: belay.dev/v1alpha1
kind: System
metadata:
  name: {name}
spec:
  databases:
    main:
      postgres: {{url: {{fromEnv: DATABASE_URL}}}}
      migrations: {{path: {folder}, format: dbmate, verify: {verify}}}
      schema: "{pin}"
"""


class Runner(Contender):
    """A whole process on a database that is made before each of its runs; measured by the kernel: time, and the most memory that it held."""

    def __init__(self, name, command, environment, prepare):
        super().__init__(name, command, environment, field=0)
        self.prepare = prepare

    def run(self):
        self.prepare()
        with open(os.devnull, "w") as nothing, open(f"/tmp/belay-bench-{os.getpid()}.err", "w+") as errors:
            begun = time.monotonic_ns()
            process = subprocess.Popen(self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=nothing, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)
            ended = time.monotonic_ns()
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                errors.seek(0)
                raise SystemExit(f"{self.name} ended with {process.returncode}\n{errors.read()[-2000:]}")
        os.unlink(errors.name)
        self.lines.append([ended - begun, usage.ru_maxrss])


def stem(number):
    return f"{20240101000000 + number}_table_{number}"


def up(number):
    return f"CREATE TABLE table_{number} (id integer PRIMARY KEY, note text NOT NULL DEFAULT '');"


def write_files(folder):
    """The same migrations for every contender, each in its own way."""
    for name in ("dbmate", "alembic/versions", "yoyo", "sqitch/deploy", "sqitch/revert"):
        os.makedirs(f"{folder}/{name}")
    script = ["CREATE TABLE schema_migrations (version varchar PRIMARY KEY);"]
    plan = ["%syntax-version=1.0.0", "%project=bench", ""]
    for number in range(COUNT):
        down = f"DROP TABLE table_{number};"
        write(f"{folder}/dbmate/{stem(number)}.sql", f"-- migrate:up\n{up(number)}\n-- migrate:down\n{down}\n")
        write(f"{folder}/yoyo/{stem(number)}.sql", f"{up(number)}\n")
        write(f"{folder}/yoyo/{stem(number)}.rollback.sql", f"{down}\n")
        before = f'"{number - 1}"' if number else "None"
        write(
            f"{folder}/alembic/versions/{number}.py",
            f'from alembic import op\nrevision = "{number}"\ndown_revision = {before}\n\n\n'
            f'def upgrade():\n    op.execute("{up(number)}")\n\n\ndef downgrade():\n    op.execute("{down}")\n')
        write(f"{folder}/sqitch/deploy/table_{number}.sql", f"BEGIN;\n{up(number)}\nCOMMIT;\n")
        write(f"{folder}/sqitch/revert/table_{number}.sql", f"BEGIN;\n{down}\nCOMMIT;\n")
        plan.append(f"table_{number} 2024-01-01T00:00:00Z bench <bench@example.com> # made")
        script.append(f"BEGIN;\n{up(number)}\nINSERT INTO schema_migrations VALUES ('{20240101000000 + number}');\nCOMMIT;")
    write(f"{folder}/all.sql", "\n".join(script) + "\n")
    write(f"{folder}/sqitch/sqitch.plan", "\n".join(plan) + "\n")
    write(f"{folder}/sqitch/sqitch.conf", "[core]\n\tengine = pg\n")
    write(
        f"{folder}/alembic/env.py",
        "import os\nfrom alembic import context\nfrom sqlalchemy import create_engine\n"
        'engine = create_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg2://"))\n'
        "with engine.connect() as connection:\n"
        "    context.configure(connection=connection, transaction_per_migration=True)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n")
    write(f"{folder}/alembic.ini", f"[alembic]\nscript_location = {folder}/alembic\n")


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


class Field:
    """The contenders, over one connection."""

    def __init__(self, here, server, python, url, folder, tag):
        self.here, self.server, self.folder = here, server, folder
        self.environment = {**here.environment(""), "DATABASE_URL": url("bench"), "PGOPTIONS": ""}
        tools = os.path.dirname(python) if python else None
        def runner(name, *command, more=None):
            return Runner(name, command, {**self.environment, **(more or {})}, lambda: server.remake("bench"))
        self.psql = runner("psql, one session", "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", url("bench"), "-f", f"{folder}/all.sql")
        self.ours = {}
        for verify in ("off", "warn"):
            spec = f"{folder}/{tag}-{verify}.yaml"
            write(spec, SPEC.format(name=f"{tag}-{verify}", folder=f"{folder}/dbmate", verify=verify, pin=stem(COUNT - 1)))
            command = [here.reconcile, "--once", "--adopt", "-f", spec]
            self.ours[verify] = Runner(
                f"Belay, verify: {verify}", command, self.environment, lambda state=f"{tag}-{verify}": self.forget(state))
        self.peers = []
        if tools:
            self.dbmate = ["dbmate", "--url", f"{url('bench')}?sslmode=disable", "--migrations-dir", f"{folder}/dbmate", "--no-dump-schema", "up"]
            self.dbmate[0] = f"{tools}/dbmate"
            self.peers += [
                runner("dbmate", *self.dbmate),
                runner("alembic", f"{tools}/alembic", "-c", f"{folder}/alembic.ini", "upgrade", "head"),
                runner("yoyo", f"{tools}/yoyo", "apply", "--batch", "--no-config-file", "-d", url("bench").replace("postgres://", "postgresql://"), f"{folder}/yoyo"),
            ]
        self.sqitch = None
        if shutil.which("sqitch"):
            self.sqitch = runner("sqitch", "sqitch", "-C", f"{folder}/sqitch", "deploy", "-t", url("bench").replace("postgres://", "db:pg://"))

    def forget(self, system):
        """A database and a state that know nothing."""
        self.server.remake("bench")
        shutil.rmtree(f"{self.here.folder}/state/belay", ignore_errors=True)


def rows(here, python, count):
    if not postgres.is_available():
        print("PostgreSQL is not installed; row 11 is left out", file=sys.stderr)
        return
    folder = f"{here.folder}/migrations"
    write_files(folder)
    with postgres.Server(f"{here.folder}/postgres") as server:
        yield from everything(Field(here, server, python, server.url, folder, "near"), f"{COUNT} migrations up", count, 1.10)
        yield from nothing(Field(here, server, python, server.url, folder, "idle"), count)
        with Slow(server.port, ROUND_TRIP) as slow:
            url = functools.partial(server.url, port=slow.port)
            what = f"{COUNT} migrations up, round trip {ROUND_TRIP * 1000:g} ms"
            yield from everything(Field(here, server, python, url, folder, "far"), what, max(2, count // 5), 1.10)


def everything(field, what, count, goal):
    contenders = [field.psql, *field.ours.values(), *field.peers]
    interleaved(contenders, count)
    for ours in field.ours.values():
        yield ratio("11", f"{what}, {ours.name.split(', ')[1]}", ours, field.psql, goal)
    warn = field.ours["warn"]
    for peer in field.peers:
        yield ratio("11", f"{what}, {warn.name.split(', ')[1]}", warn, peer)
    if field.sqitch:
        # A program for each change: once is enough to see it.
        field.sqitch.run()
        field.sqitch.lines *= count
        yield ratio("11", f"{what}, {warn.name.split(', ')[1]}", warn, field.sqitch)
    most = [f"{other.name}: {Spread(other.times(1)).median / 1024:.0f} MB" for other in [field.psql, *field.peers]]
    memory = Spread([kilobytes / 1024 for kilobytes in warn.times(1)])
    yield Line("11", f"memory of that: {what}", f"{memory.median:.0f} MB", "; ".join(most), "", "", "–", None)


def nothing(field, count):
    """The pin is reached and every version recorded: what a pass costs then."""
    ours = field.ours["warn"]
    ours.run()
    ours.lines.clear()
    ours.prepare = lambda: None
    off = field.ours["off"]
    off.prepare = lambda: None
    off.run()
    off.lines.clear()
    idle = [ours, off]
    if field.peers:
        dbmate = Runner("dbmate", field.dbmate, field.environment, lambda: None)
        idle.append(dbmate)
    interleaved(idle, count)
    for contender in (off, ours):
        if field.peers:
            yield ratio("11", f"nothing to do, {COUNT} applied, {contender.name.split(', ')[1]}", contender, dbmate, 1.0)
    asked = field.server.statements(lambda: off.run())
    yield Line(
        "11", "statements of a pass with nothing to do, verify: off", str(asked), "minimum: 1 query", f"{asked:.0f}", "", "one query", asked == 1)


def interleaved(contenders, count):
    for contender in contenders:
        contender.run()
        contender.lines.clear()
    for number in range(count):
        start = number % len(contenders)
        for contender in contenders[start:] + contenders[:start]:
            contender.run()
