"""Serves a WSGI application on loopback. Usage: serve_wsgi.py MODULE:ATTRIBUTE PORT"""
import importlib
import sys

from waitress import serve

module, attribute = sys.argv[1].split(":")
port = int(sys.argv[2])
sys.argv = sys.argv[:1]  # keystone and placement parse the command line when they are imported
serve(getattr(importlib.import_module(module), attribute), host="127.0.0.1", port=port, threads=8, ident=None, _quiet=True)
