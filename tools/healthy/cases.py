# SPDX-License-Identifier: GPL-2.0-only
"""Healthy programs of Debian 12, each with a load that any such program bears
for ever: fixed sets of keys, bounded caches, connections that come and go."""
import glob
import os
import shutil
import socket
import subprocess
import threading
import time

import loads

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts")
PORT_PATIENCE = 30


class Case:
    """A running program. `pid` is what is traced."""

    def __init__(self, name, load):
        self.name = name
        self.load = load  # what is done to it, for the table
        self.once = None  # called again and again, or None
        self.processes = []
        self.pid = None

    def start(self, *command, cwd=None, trace=True, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("stdout", subprocess.DEVNULL)
        p = subprocess.Popen([str(c) for c in command], cwd=cwd,
                             stderr=subprocess.DEVNULL,
                             start_new_session=True, **more)
        self.processes.append(p)
        if trace:
            self.pid = p.pid
        return p

    def stop(self):
        for p in reversed(self.processes):
            p.terminate()
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()


def listening(port):
    deadline = time.monotonic() + PORT_PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o644)
    return path


def drain(stream):
    threading.Thread(target=lambda: [None for _ in iter(
        lambda: stream.read(65536), b"")], daemon=True).start()


def web_root(folder):
    for i in range(5):
        write(folder, f"{i}.html", f"<p>{i}</p>" * 500)
    return [f"/{i}.html" for i in range(5)]


def http_case(name, folder, command, paths=("/",), load="HTTP GET"):
    case = Case(name, load)
    port = loads.free_port()
    case.start(*[c.replace("PORT", str(port)) for c in command], cwd=folder)
    listening(port)
    case.once = loads.http_get(port, paths)
    return case


def script(name, command, load):
    case = Case(name, load)
    case.start(*command)
    return case


# ---- Servers -----------------------------------------------------------------

def redis(folder):
    case = Case("redis-server", "redis-benchmark: set, get, incr, hset, mset "
                "on 10,000 fixed keys")
    port = loads.free_port()
    case.start("redis-server", "--port", port, "--save", "", "--dir", folder)
    listening(port)
    case.start("redis-benchmark", "-p", port, "-r", 10000, "-l", "-c", 8,
               "-t", "set,get,incr,hset,mset", "-q", "-n", 20000, trace=False)
    return case


def nginx(folder):
    port = loads.free_port()
    case = Case("nginx", "HTTP GET of static files")
    paths = web_root(folder)
    conf = write(folder, "conf", f"""daemon off; master_process off;
user root; error_log /dev/null; pid {folder}/pid; events {{}}
http {{ access_log off; gzip on; client_body_temp_path {folder}/a;
proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
server {{ listen 127.0.0.1:{port}; root {folder}; }} }}""")
    case.start("nginx", "-c", conf, "-p", folder)
    listening(port)
    case.once = loads.http_get(port, paths)
    return case


def lighttpd(folder):
    port = loads.free_port()
    case = Case("lighttpd", "HTTP GET of static files")
    paths = web_root(folder)
    conf = write(folder, "conf", f"""server.document-root = "{folder}"
server.port = {port}
server.bind = "127.0.0.1"
mimetype.assign = (".html" => "text/html")
""")
    case.start("lighttpd", "-D", "-f", conf)
    listening(port)
    case.once = loads.http_get(port, paths)
    return case


def apache(folder):
    port = loads.free_port()
    case = Case("apache2", "HTTP GET of static files; mpm_event, -X")
    paths = web_root(folder)
    modules = "/usr/lib/apache2/modules"
    conf = write(folder, "conf", f"""ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog /dev/null
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule dir_module {modules}/mod_dir.so
User www-data
DocumentRoot {folder}
<Directory {folder}>
Require all granted
</Directory>
""")
    case.start("apache2", "-X", "-f", conf)
    listening(port)
    case.once = loads.http_get(port, paths)
    return case


def haproxy(folder):
    back = loads.free_port()
    port = loads.free_port()
    case = Case("haproxy", "HTTP proxy before python3 -m http.server; one thread")
    web_root(folder)
    case.start("/usr/bin/python3", "-m", "http.server", back, "--bind",
               "127.0.0.1", cwd=folder, trace=False)
    listening(back)
    # With more threads each has a cache of what another one allocated; these
    # fill slowly, and look like a leak meanwhile (docs/healthy.md).
    conf = write(folder, "conf", f"""global
 nbthread 1
defaults
 mode http
 timeout connect 5s
 timeout client 10s
 timeout server 10s
frontend f
 bind 127.0.0.1:{port}
 default_backend b
backend b
 server s 127.0.0.1:{back}
""")
    case.start("haproxy", "-db", "-f", conf)
    listening(port)
    case.once = loads.http_get(port, ["/1.html"])
    return case


def node(folder):
    return http_case("node", folder, ["node", f"{SCRIPTS}/server.js", "PORT"],
                     load="HTTP GET, JSON and a Buffer per request")


def python_http(folder):
    return http_case("python3 http.server", folder,
                     ["/usr/bin/python3", "-m", "http.server", "PORT",
                      "--bind", "127.0.0.1"], web_root(folder),
                     "HTTP GET of static files, a thread each")


def php(folder):
    write(folder, "index.php", """<?php $a = [];
for ($i = 0; $i < 500; $i++) $a["k$i"] = str_repeat("x", $i);
echo json_encode($a), htmlspecialchars(date("c"));""")
    return http_case("php -S", folder, ["php", "-S", "127.0.0.1:PORT"],
                     load="HTTP GET of a PHP page")


def memcached(folder):
    case = Case("memcached", "set and get of 2,000 fixed keys")
    port = loads.free_port()
    case.start("memcached", "-p", port, "-l", "127.0.0.1", "-u", "nobody",
               "-m", 16)
    listening(port)
    case.once = loads.memcached(port)
    return case


def dnsmasq(folder):
    names = [f"host{i}.test" for i in range(50)]
    hosts = write(folder, "hosts", "".join(
        f"10.0.0.{i + 1} {n}\n" for i, n in enumerate(names)))
    port = loads.free_port()
    case = Case("dnsmasq", "DNS queries for 50 names")
    case.start("dnsmasq", "-k", "-p", port, "-C", "/dev/null", "-R", "-h",
               "-H", hosts, "--listen-address=127.0.0.1", "--bind-interfaces",
               f"--pid-file={folder}/pid", "-u", "nobody")
    time.sleep(1)
    case.once = loads.dns(port, names)
    return case


def mosquitto(folder):
    port = loads.free_port()
    conf = write(folder, "conf", f"listener {port} 127.0.0.1\n"
                 "allow_anonymous true\n")
    case = Case("mosquitto", "MQTT publish to 50 topics, clients reconnect")
    case.start("mosquitto", "-c", conf)
    listening(port)
    case.once = loads.mqtt(port)
    return case


def postgres(folder):
    """A backend process, which serves one connection."""
    tools = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    shutil.chown(folder, "postgres", "postgres")
    port = loads.free_port()
    case = Case("postgres backend", "pgbench, one connection")
    run = dict(cwd=folder, check=True, user="postgres", group="postgres",
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run([f"{tools}/initdb", "-D", f"{folder}/data", "-A", "trust"],
                   **run)
    case.start(f"{tools}/postgres", "-D", f"{folder}/data", "-p", port, "-k",
               folder, "-c", "fsync=off", cwd=folder, trace=False,
               user="postgres", group="postgres")
    listening(port)
    subprocess.run([f"{tools}/pgbench", "-h", folder, "-p", str(port), "-i",
                    "postgres"], **run)
    case.start(f"{tools}/pgbench", "-h", folder, "-p", port, "-T", 3600, "-R",
               300, "postgres", cwd=folder, trace=False, user="postgres",
               group="postgres")
    time.sleep(2)  # the backend that filled the tables is gone by then
    deadline = time.monotonic() + PORT_PATIENCE
    while not case.pid and time.monotonic() < deadline:
        found = subprocess.run(
            ["pgrep", "-n", "-P", str(case.processes[0].pid), "-f",
             r"postgres: .*\[local\]"], capture_output=True, text=True)
        case.pid = int(found.stdout.split()[0]) if found.stdout else None
        time.sleep(0.2)
    return case


# ---- Tools that read a stream ---------------------------------------------------

def stream(name, command, text, load, cwd=None):
    case = Case(name, load)
    p = case.start(*command, cwd=cwd, stdin=subprocess.PIPE,
                   stdout=subprocess.PIPE)
    drain(p.stdout)
    case.once = loads.feed(p, text)
    return case


def sqlite(folder):
    setup = "create table t(id integer primary key, v text, n int);\n" + \
        "".join(f"insert into t values({i}, 'v{i}', {i % 7});\n"
                for i in range(2000))
    work = "update t set n = n + 1 where id % 97 = abs(random()) % 97;\n" \
        "select n, count(*), max(v) from t group by n % 5 order by 2;\n"
    case = stream("sqlite3", ["sqlite3", f"{folder}/db"],
                  ("begin;" + work + "commit;\n").encode(),
                  "update and select on 2,000 fixed rows")
    case.processes[0].stdin.write(("begin;" + setup + "commit;\n").encode())
    return case


def git(folder):
    subprocess.run(["git", "init", "-q", folder], check=True)
    for i in range(300):
        write(folder, f"f{i}", f"{i}\n" * (20 * i))
    env = dict(os.environ, GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b.test",
               GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@b.test")
    subprocess.run("git add . && git commit -qm x && git repack -adq",
                   cwd=folder, shell=True, check=True, env=env)
    ids = subprocess.run(["git", "cat-file", "--batch-all-objects",
                          "--batch-check=%(objectname)"], cwd=folder,
                         capture_output=True, check=True).stdout.split()
    case = Case("git cat-file --batch", "300 objects of a pack")
    p = case.start("git", "cat-file", "--batch", cwd=folder,
                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    case.once = loads.git_objects(p, ids)
    return case


def jq(folder):
    return stream("jq", ["jq", "-c", "--unbuffered",
                         "[.items[] | select(.n > 3) | .name] | join(\",\")"],
                  (b'{"items":[' + b",".join(
                      b'{"n":%d,"name":"n%d"}' % (i, i) for i in range(40)) +
                   b']}\n'), "a filter over a stream of JSON")


def gawk(folder):
    return stream("gawk", ["gawk", "{ n[$1] += $2; s = s $3; if (NR % 100 == 0)"
                           " { s = \"\"; print length(n) } fflush() }"],
                  b"".join(b"key%d %d some text\n" % (i, i)
                           for i in range(100)), "sums over 100 fixed keys")


def bc(folder):
    return stream("bc", ["bc", "-l"], b"scale=200; a = e(1) * 4; s(a/7)\n",
                  "200 digits, again and again")


# ---- Interpreters with a loop of their own ----------------------------------------

def python(folder):
    return script("python3", ["/usr/bin/python3", f"{SCRIPTS}/loop.py"],
                  "bounded dict, JSON, regular expressions")


def perl(folder):
    return script("perl", ["perl", f"{SCRIPTS}/loop.pl"],
                  "bounded hash, strings, regular expressions")


def ruby(folder):
    return script("ruby", ["ruby", f"{SCRIPTS}/loop.rb"],
                  "bounded hash, strings, regular expressions")


def lua(folder):
    return script("lua5.4", ["lua5.4", f"{SCRIPTS}/loop.lua"],
                  "bounded table, strings")


def tcl(folder):
    return script("tclsh", ["tclsh", f"{SCRIPTS}/loop.tcl"],
                  "bounded array, lists, regular expressions")


def java(folder):
    return script("java", ["java", "-Xmx128m", f"{SCRIPTS}/Loop.java"],
                  "bounded map, strings; what the JVM takes from malloc")


ALL = [redis, nginx, node, python_http, python, sqlite, git, perl, postgres,
       memcached, lua, php, ruby, lighttpd, apache, haproxy, dnsmasq,
       mosquitto, gawk, tcl, jq, bc, java]
