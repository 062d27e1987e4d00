# SPDX-License-Identifier: GPL-2.0-only
"""The Debian package, the systemd unit, the container image and the manifest
for Kubernetes: what they hold fits together, and what they allow is enough."""
import gzip
import os
import re
import shutil
import subprocess

import pytest
import yaml

from leakbpf import PATIENCE, Target, leakbpf
from paths import BINARY, ROOT
from server import Server, free_port

UNIT = os.path.join(ROOT, "packaging/systemd/leakbpf.service")
CONFIG = os.path.join(ROOT, "packaging/leakbpf.conf")


def run(*words, **options):
    got = subprocess.run(list(map(str, words)), capture_output=True, text=True,
                         timeout=PATIENCE, **options)
    assert got.returncode == 0, got
    return got.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Built, and unpacked: (file, folder)."""
    build = os.path.dirname(BINARY)
    version = run(BINARY, "--version").split()[1]
    file = run(os.path.join(ROOT, "tools/deb.sh"), build, version).split()[-1]
    folder = tmp_path_factory.mktemp("package")
    run("dpkg-deb", "-R", file, folder)
    return file, folder


def unit_settings():
    with open(UNIT) as f:
        return dict(re.findall(r"^([A-Za-z]+)=(.*)$", f.read(), re.M))


def unit_capabilities():
    return [c.lower().removeprefix("cap_")
            for c in unit_settings()["CapabilityBoundingSet"].split()]


def manifest(kind):
    with open(os.path.join(ROOT, "packaging/kubernetes/daemonset.yaml")) as f:
        return {d["kind"]: d for d in yaml.safe_load_all(f)}[kind]


def test_package_is_complete(package):
    file, folder = package
    fields = dict(line.split(": ", 1)
                  for line in run("dpkg-deb", "-f", file).splitlines()
                  if re.match(r"[A-Z][\w-]*: ", line))
    assert fields["Package"] == "leakbpf"
    assert fields["Version"] in leakbpf("--version").stdout
    assert "Depends" not in fields, "a static binary needs nothing"
    assert "libbpf (=" in fields["Built-Using"]
    modes = {line.split()[-1].lstrip("."): line.split()[0]
             for line in run("dpkg-deb", "-c", file).splitlines()}
    assert "root/root" in run("dpkg-deb", "-c", file).splitlines()[-1]
    for path, mode in (("/usr/sbin/leakbpf", "-rwxr-xr-x"),
                       ("/etc/leakbpf/leakbpf.conf", "-rw-r--r--"),
                       ("/lib/systemd/system/leakbpf.service", "-rw-r--r--"),
                       ("/usr/share/doc/leakbpf/copyright", "-rw-r--r--"),
                       ("/usr/share/bash-completion/completions/leakbpf",
                        "-rw-r--r--")):
        assert modes.get(path) == mode, (path, modes)
    for page in os.listdir(os.path.join(ROOT, "man")):
        packed = folder / "usr/share/man/man1" / f"{page}.gz"
        with open(os.path.join(ROOT, "man", page), "rb") as f:
            assert gzip.decompress(packed.read_bytes()) == f.read()
    assert (folder / "DEBIAN/conffiles").read_text().split() == \
        ["/etc/leakbpf/leakbpf.conf"]
    run("md5sum", "--quiet", "-c", folder / "DEBIAN/md5sums", cwd=folder)
    for script in ("postinst", "prerm", "postrm"):
        run("sh", "-n", folder / "DEBIAN" / script)


def test_packaged_configuration_is_understood(package, tmp_path):
    """As it comes it says nothing; with every example switched on, too, it is
    read to its end."""
    config = tmp_path / "leakbpf.conf"
    shutil.copy(CONFIG, config)
    config.chmod(0o644)
    got = leakbpf("serve", "--config", str(config))
    assert got.returncode == 2 and "nothing to trace" in got.stderr, got
    text = re.sub(r"(?m)^#(\w[\w-]* = )", r"\1", config.read_text())
    assert text.count("\n#") < config.read_text().count("\n#")
    config.write_text(text)
    got = leakbpf("serve", "--config", str(config), "-p", str(1 << 22))
    # Neither the folder nor the token is there; no mistake is in the file.
    assert got.returncode in (2, 4, 10) and str(config) not in got.stderr, got
    assert re.search("cannot (write|read)|no process", got.stderr), got


def test_unit_has_no_mistakes(package, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze")
    _, folder = package
    with open(UNIT) as f:
        text = f.read()
    assert "/usr/sbin/leakbpf serve" in text
    copy = tmp_path / "leakbpf.service"
    copy.write_text(text.replace("/usr/sbin/leakbpf",
                                 f"{folder}/usr/sbin/leakbpf"))
    got = subprocess.run(["systemd-analyze", "verify", "--man=no", copy],
                         capture_output=True, text=True, timeout=PATIENCE)
    mine = [line for line in (got.stdout + got.stderr).splitlines()
            if "leakbpf.service" in line]
    assert got.returncode == 0 and not mine, got


# Everything read-only but what the unit gives it.
IN_READ_ONLY_ROOT = """
mount --make-rprivate / && mount --bind / / && mount -o remount,ro,bind / &&
mount --bind {state} {state} && mount -o remount,rw,bind {state} &&
exec "$@"
"""

def watch_a_leak(server, target):
    target.truth()
    server.wait_for(lambda: b'function="leak_malloc",file="/' in
                    server.get("/metrics")[2])
    assert "is missing" not in server.stderr()
    assert server.stop() == 0, server.stderr()


@pytest.fixture(scope="module")
def has_multi():
    """Whether the kernel has other probes than perf events."""
    with Target("functions") as target:
        got = leakbpf("-p", str(target.pid), "-v", "-d", "0.1")
    return "multi 0" in got.stderr


def test_what_the_unit_allows_is_enough(package, has_multi, tmp_path):
    _, folder = package
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    bounding = "-all," + ",".join("+" + c for c in unit_capabilities()
                                  if c != "sys_admin" or not has_multi)
    with Target("functions") as target, \
            Server(target, "-i", "0.5",
                   binary=folder / "usr/sbin/leakbpf",
                   env={"STATE_DIRECTORY": str(state)},
                   wrapper=("unshare", "--mount", "sh", "-ec",
                            IN_READ_ONLY_ROOT.format(state=state), "sh",
                            "setpriv", "--no-new-privs", "--inh-caps=-all",
                            f"--bounding-set={bounding}")) as server:
        watch_a_leak(server, target)
    assert f"target {target.pid} " in (state / "last-run").read_text()


def test_what_the_manifest_allows_is_enough(package, has_multi, tmp_path):
    """In a root that holds nothing but the image's files."""
    spec = manifest("DaemonSet")["spec"]["template"]["spec"]
    assert spec["hostPID"] is True
    context = spec["containers"][0]["securityContext"]
    assert context["privileged"] is False
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"]["drop"] == ["ALL"]
    capabilities = context["capabilities"]["add"]
    assert [c.lower() for c in capabilities] + ["sys_admin"] == \
        unit_capabilities()
    if not has_multi:
        capabilities.append("SYS_ADMIN")
    _, folder = package
    image = tmp_path / "image"
    (image / "usr/sbin").mkdir(parents=True)
    shutil.copy(folder / "usr/sbin/leakbpf", image / "usr/sbin")
    with Target("functions") as target, \
            Server(target, "-i", "0.5", binary="/usr/sbin/leakbpf",
                   wrapper=("/usr/bin/python3", "-B",
                            os.path.join(ROOT, "tests/e2e/in_image.py"), image,
                            ",".join(capabilities))) as server:
        watch_a_leak(server, target)


def test_manifest_fits_together():
    daemons = manifest("DaemonSet")
    pod = daemons["spec"]["template"]
    assert daemons["spec"]["selector"]["matchLabels"].items() <= \
        pod["metadata"]["labels"].items()
    volumes = {v["name"] for v in pod["spec"]["volumes"]}
    container = pod["spec"]["containers"][0]
    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    assert volumes == set(mounts)
    config = manifest("ConfigMap")
    assert pod["spec"]["volumes"][0]["configMap"]["name"] == \
        config["metadata"]["name"]
    settings = dict(line.split(" = ") for line in
                    config["data"]["leakbpf.conf"].splitlines()
                    if "=" in line)
    assert settings["listen"].endswith(
        f":{container['ports'][0]['containerPort']}")
    assert os.path.dirname(settings["token-file"]) == mounts["token"]
    assert settings["state-dir"] == mounts["state"]
    assert container["args"][-1] == mounts["config"] + "/leakbpf.conf"
    assert leakbpf("--version").stdout.split()[1] == \
        container["image"].split(":")[1]


def test_manifests_configuration_is_understood(tmp_path):
    """As it is: then the first thing wrong is that its token is not there. And
    with each of its narrower examples in the place of `all`, of which there is
    none on this machine: then it waits for one."""
    text = manifest("ConfigMap")["data"]["leakbpf.conf"]
    config = tmp_path / "leakbpf.conf"
    config.write_text(text)
    config.chmod(0o644)
    got = leakbpf("serve", "--config", str(config))
    assert got.returncode == 10, got
    assert "/etc/leakbpf-token/token" in got.stderr, got
    assert str(config) not in got.stderr, got

    token = tmp_path / "token"
    token.write_text("0123456789abcdef0123456789abcdef\n")
    token.chmod(0o400)
    text = text.replace("/etc/leakbpf-token/token", str(token))
    text = text.replace("/var/lib/leakbpf", str(tmp_path))
    text = text.replace("0.0.0.0:9850", f"127.0.0.1:{free_port()}")
    narrower = re.findall(r"(?m)^# (pod|container|comm) = ", text)
    assert text.count("\nall = yes\n") == 1 and len(narrower) == 3
    for key in narrower:
        config.write_text(text.replace("all = yes", f"{key} = e2e-nonesuch"))
        with subprocess.Popen([BINARY, "serve", "--config", config],
                              stderr=subprocess.PIPE, text=True) as process:
            try:
                said = process.stderr.readline()
            finally:
                process.terminate()
                said += process.communicate(timeout=PATIENCE)[1]
        assert "waiting for " in said, (key, said)
        assert process.returncode == 0, (key, said)


def test_image_recipe_uses_what_is_there():
    with open(os.path.join(ROOT, "packaging/Containerfile")) as f:
        text = re.sub(r"\\\n", " ", f.read())
    build, final = text.split("\nFROM scratch\n")
    assert "RUN" not in final, "nothing is made or fetched in the last stage"
    assert 'ENTRYPOINT ["/usr/sbin/leakbpf"]' in final
    for script in re.findall(r"(tools/\S+)", build):
        assert os.access(os.path.join(ROOT, script), os.X_OK), script
    with open(os.path.join(ROOT, "tools/setup.sh")) as f:
        assert "\nBUILD=" in f.read()
