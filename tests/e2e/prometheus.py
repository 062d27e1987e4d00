# SPDX-License-Identifier: GPL-2.0-only
"""A real Prometheus that scrapes `leakbpf serve`."""
import contextlib
import json
import subprocess
import urllib.parse
import urllib.request

from leakbpf import PATIENCE
from server import free_port


@contextlib.contextmanager
def prometheus(server, folder, interval_seconds):
    """Gives a function that queries it: the series found."""
    port = free_port()
    with open(f"{folder}/prometheus.yml", "w") as f:
        f.write("scrape_configs: [{job_name: leakbpf, "
                f"scrape_interval: {interval_seconds}s, "
                "static_configs: [{targets: "
                f"['127.0.0.1:{server.port}']}}]}}]\n")
    process = subprocess.Popen(
        ["prometheus", f"--config.file={folder}/prometheus.yml",
         f"--storage.tsdb.path={folder}/data",
         f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield lambda text: query(port, text)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def query(port, text):
    with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/api/v1/query?query="
            + urllib.parse.quote(text), timeout=PATIENCE) as answer:
        return json.load(answer)["data"]["result"]
