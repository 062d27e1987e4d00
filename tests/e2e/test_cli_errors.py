# SPDX-License-Identifier: GPL-2.0-only
"""Bad input: an exit code of its own and one clear line, nothing lost."""
import os
import re
import shutil
import subprocess
import tempfile

import pytest

from leakbpf import PATIENCE, Target, leakbpf, profile, profile_python
from paths import BINARY, target_path

USAGE, PRIVILEGES, NO_PROCESS, NOT_A_PROGRAM, ARCHITECTURE = 2, 3, 4, 5, 6
NO_ALLOCATOR, REFUSED, OUTPUT, GONE, COMMAND = 7, 9, 10, 11, 12


def assert_fails(run, code, says):
    lines = run.stderr.splitlines()
    assert run.returncode == code and len(lines) == 1 and \
        lines[0].startswith("leakbpf: ") and \
        re.search(says, lines[0]) and not run.stdout, \
        f"expected code {code} and one line with {says!r}, seen " \
        f"{run.returncode}:\n{run.stderr}--- output\n{run.stdout}"


@pytest.mark.parametrize("arguments, says", [
    ([], "-p PID"),
    (["-p"], "needs a value"),
    (["-p", "0"], "process id"),
    (["-p", "-5"], "process id"),
    (["-p", "x"], "process id"),
    (["-p", "1x"], "process id"),
    (["-p", "99999999999999999999"], "process id"),
    (["-p", ""], "process id"),
    (["-p", "1,,2"], "process id"),
    (["-p", "1", "-i", "0"], "-i"),
    (["-p", "1", "-i", "nan"], "-i"),
    (["-p", "1", "-i", "inf"], "-i"),
    (["-p", "1", "-i", "-1"], "-i"),
    (["-p", "1", "-d", "0"], "-d"),
    (["-p", "1", "-d", "1e99"], "-d"),
    (["-p", "1", "-n", "-1"], "-n"),
    (["-p", "1", "-n", "many"], "-n"),
    (["-p", "1", "--sample-bytes", "-1"], "--sample-bytes"),
    (["-p", "1", "--sample-bytes", "1T"], "--sample-bytes"),
    (["-p", "1", "--sample-bytes", "18446744073709551616"],
     "--sample-bytes"),
    (["-p", "1", "--max-memory", "1"], "--max-memory"),
    (["-p", "1", "--min-size", "10", "--max-size", "5"], "--min-size"),
    (["-p", "1", "--older", "never"], "--older"),
    (["-p", "1", "--nonsense"], "--nonsense"),
    (["-Z"], "-Z"),
    (["-p", "1", "-c", "true"], "both"),
    (["-c", ""], "-c"),
    (["-c", "'unfinished"], "-c"),
    (["1234"], "1234"),
    (["-p", "1", "--folded", ""], "--folded"),
    (["-p", "1", "--link", "magic"], "--link"),
])
def test_usage(arguments, says):
    assert_fails(leakbpf(*arguments), USAGE, says)


def test_no_such_process():
    process = subprocess.Popen(["true"])
    process.wait()
    assert_fails(leakbpf("-p", process.pid), NO_PROCESS, str(process.pid))


def test_kernel_thread():
    assert_fails(leakbpf("-p", 2), NOT_A_PROGRAM, "kernel thread")


def test_zombie():
    process = subprocess.Popen(["true"])
    try:
        while not open(f"/proc/{process.pid}/stat").read().split(")")[1] \
                .startswith(" Z"):
            pass
        assert_fails(leakbpf("-p", process.pid), NOT_A_PROGRAM,
                     str(process.pid))
    finally:
        process.wait()


def test_id_of_a_thread():
    code = "import threading,time\n" \
        "threading.Thread(target=time.sleep,args=(60,),daemon=True).start()\n"\
        "print('up',flush=True)\ninput()"
    with subprocess.Popen(["/usr/bin/python3", "-c", code],
                          stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        # Not the largest one: ids begin anew some day.
        tids = set(map(int, os.listdir(f"/proc/{process.pid}/task")))
        (tid,) = tids - {process.pid}
        assert_fails(leakbpf("-p", tid), NOT_A_PROGRAM, "thread")
        process.kill()


def test_32_bit_program():
    with Target("thirty_two") as target:
        assert_fails(leakbpf("-p", target.pid), ARCHITECTURE, "32-bit")


def test_no_allocator():
    with Target("no_allocator") as target:
        assert_fails(leakbpf("-p", target.pid, "--no-growth"), NO_ALLOCATOR,
                     "allocator")


def test_go_program_is_refused():
    with Target("go_like") as target:
        assert_fails(leakbpf("-p", target.pid, "--no-growth"), REFUSED, "Go")
        target.truth()
        assert target.finish() == 0


def test_itself():
    # The shell becomes leakbpf and so has the process id it was given.
    run = subprocess.run(["sh", "-c", f'exec "{BINARY}" -p $$'],
                         capture_output=True, text=True, timeout=PATIENCE)
    assert_fails(run, USAGE, "itself")


def as_user(*arguments, keep=()):
    """As nobody, with the given capabilities only."""
    caps = ",".join(f"+{c}" for c in keep)
    command = ["setpriv", "--reuid", "65534", "--regid", "65534",
               "--clear-groups"]
    if keep:
        command += ["--inh-caps", f"-all,{caps}", "--ambient-caps", caps]
    return subprocess.run([*command, BINARY, *map(str, arguments)], text=True,
                          capture_output=True, timeout=PATIENCE,
                          stdin=subprocess.DEVNULL)


@pytest.fixture
def readable_binary(tmp_path, monkeypatch):
    """Where an unprivileged user can run it."""
    folder = tempfile.mkdtemp(prefix="e2e-")
    os.chmod(folder, 0o755)
    copy = shutil.copy(BINARY, folder)
    monkeypatch.setitem(globals(), "BINARY", copy)
    yield copy
    shutil.rmtree(folder)


def test_not_root(readable_binary):
    with Target("load", "service") as target:
        assert_fails(as_user("-p", target.pid), PRIVILEGES, "root")


def test_missing_capability_is_named(readable_binary):
    with Target("load", "service") as target:
        run = as_user("-p", target.pid, keep=["perfmon", "sys_ptrace"])
        assert_fails(run, PRIVILEGES, "CAP_BPF")


@pytest.mark.parametrize("path", ["/nonexistent/folder/file", "/", "/proc/x"])
def test_output_that_cannot_be_written(path):
    with Target("load", "service") as target:
        assert_fails(leakbpf("-p", target.pid, "-d", 1, "--folded", path),
                     OUTPUT, re.escape(path))


def test_full_disk_is_reported():
    with Target("load", "service") as target:
        target.line()
        run = leakbpf("-p", target.pid, "-d", 1, "--json", "/dev/full")
        assert run.returncode == OUTPUT, run
        assert "/dev/full" in run.stderr, run


def test_full_standard_output_is_reported():
    with Target("load", "service") as target:
        target.line()
        with open("/dev/full", "w") as full:
            run = subprocess.run([BINARY, "-p", str(target.pid), "-d", "1"],
                                 stdout=full, stderr=subprocess.PIPE,
                                 text=True, timeout=PATIENCE)
        assert run.returncode == OUTPUT, run
        assert "standard output" in run.stderr, run


@pytest.mark.parametrize("command", ["/nonexistent/program", "/etc/passwd",
                                     "/tmp"])
def test_command_that_cannot_be_started(command):
    assert_fails(leakbpf("-c", command), COMMAND, re.escape(command))


def test_help_and_version():
    shown = leakbpf("--help")
    assert shown.returncode == 0 and not shown.stderr
    for option in ("--pid", "--interval", "--duration", "--top", "--folded",
                   "--older", "--min-size", "--max-size", "--command",
                   "--sample-bytes", "--max-memory", "--mmap", "--explain"):
        assert option in shown.stdout, option
    version = leakbpf("--version")
    assert version.returncode == 0
    assert re.search(r"\d+\.\d+", version.stdout), version.stdout


def garbage_plugin(folder):
    """The plugin with its code intact and all its descriptions destroyed."""
    plugin = str(folder / "plugin.so")
    shutil.copy(target_path("plugin.so"), plugin)
    garbage = folder / "garbage"
    for section in (".eh_frame", ".eh_frame_hdr", ".debug_info",
                    ".debug_abbrev", ".debug_line", ".debug_str"):
        dump = folder / "dump"
        subprocess.run(["objcopy", "--dump-section", f"{section}={dump}",
                        plugin, "/dev/null"], check=True, timeout=PATIENCE)
        garbage.write_bytes(b"\xff\x7f\x80\x13" * (len(dump.read_bytes())
                                                    // 4 + 1))
        with open(garbage, "r+b") as f:
            f.truncate(len(dump.read_bytes()))
        subprocess.run(["objcopy", "--update-section",
                        f"{section}={garbage}", plugin], check=True,
                       timeout=PATIENCE)
    return plugin


def test_malformed_cfi_and_dwarf_cost_only_their_own_object(tmp_path):
    with Target("plugin_host", garbage_plugin(tmp_path)) as target:
        run = profile(target, "--sample-bytes", 0, "-n", 0)
    assert any("plugin_allocate" in f for f, _ in run.folded), run
    mine = sum(v for f, v in run.folded
               if "plugin_allocate" in f or "plugin.so" in ";".join(f))
    assert mine == 50 * 400, run
    losses = "\n".join(run.report.header["losses"])
    assert "unwind information" in losses, run


def test_truncated_elf_file_is_passed_over(tmp_path):
    """Mapped and executable, begins like a shared object, then nonsense."""
    broken = tmp_path / "broken.so"
    with open(target_path("plugin.so"), "rb") as f:
        broken.write_bytes(f.read()[:300].ljust(8192, b"\xff"))
    code = f"""
import mmap, sys
f = open({str(broken)!r}, 'rb')
m = mmap.mmap(f.fileno(), 8192, prot=mmap.PROT_READ | mmap.PROT_EXEC,
              flags=mmap.MAP_PRIVATE)
print('up', flush=True)
for line in sys.stdin:
    kept = [bytearray(100000) for i in range(50)]
    print('done', flush=True)
"""
    run = profile_python(code)
    assert run.code == 0, run
    assert sum(v for _, v in run.folded) >= 5000000, run
