"""Runs zun-api or zun-compute on SQLite. Usage: run_zun.py api|compute ARGUMENTS

A transaction there takes the write lock when it begins, and waits for it: one that began with a read could never become a write once
the other process had written, and Zun would answer 500 with "database is locked". MariaDB needs nothing of the kind.
"""
import importlib
import sys

name = sys.argv[1]
service = importlib.import_module("zun.cmd." + name)  # before anything else: it monkey-patches for eventlet

from sqlalchemy import event  # noqa: E402
from sqlalchemy.engine import Engine  # noqa: E402


@event.listens_for(Engine, "before_cursor_execute", retval=True)
def begin_with_lock(_connection, _cursor, statement, parameters, _context, _many):
    return ("BEGIN IMMEDIATE" if statement == "BEGIN" else statement), parameters


sys.argv = ["zun-" + name, *sys.argv[2:]]
sys.exit(service.main())
