"""A walk through CPython's library: processes, threads, sockets, signals, files, a data base."""

import hashlib
import json
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe, Process

print(sum(range(1000)), hashlib.sha256(b"x").hexdigest()[:16], json.dumps({"a": [1, None]}))
print(subprocess.run(["/bin/sh", "-c", "cat; exit 3"], input=b"piped", capture_output=True))
with ThreadPoolExecutor(4) as pool:
    print(list(pool.map(lambda n: n * n, range(10))))
ours, theirs = socket.socketpair()
threading.Thread(target=lambda: theirs.sendall(b"y" * 100000) or theirs.close()).start()
print(len(b"".join(iter(lambda: ours.recv(4096), b""))))
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
peer, address = server.accept()
client.sendall(b"over loopback")
print(peer.recv(100), address == client.getsockname())
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
signal.setitimer(signal.ITIMER_REAL, 0.01)
print(signal.sigwait({signal.SIGALRM}))
signal.signal(signal.SIGUSR1, lambda number, frame: print("handled", number))
os.kill(os.getpid(), signal.SIGUSR1)
pid = os.fork()
if not pid:
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
with tempfile.TemporaryDirectory() as folder:
    with open(folder + "/file", "w") as file:
        file.write("text\n" * 10)
    print(os.stat(folder + "/file").st_size, os.listdir(folder))
    base = sqlite3.connect(folder + "/base")
    base.execute("create table t (a, b)")
    base.executemany("insert into t values (?, ?)", [(n, n * n) for n in range(100)])
    base.commit()
    print(base.execute("select sum(b) from t where a % 2").fetchone())
    base.close()
here, there = Pipe()
process = Process(target=lambda: there.send({"from": "a child"}))
process.start()
print(here.recv(), process.join(), process.exitcode)
print(select.select([server], [client], [], 0) == ([], [client], []))
sys.exit(5)
