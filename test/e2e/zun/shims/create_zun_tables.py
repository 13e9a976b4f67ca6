"""Makes Zun's tables in SQLite. Usage: create_zun_tables.py URL. Zun's own migrations use statements that SQLite lacks; the models are the same."""
import sys

import sqlalchemy
from zun.db.sqlalchemy import models

engine = sqlalchemy.create_engine(sys.argv[1])
models.Base.metadata.create_all(engine)
with engine.connect() as connection:
    # The file remembers it: zun-api's readers and zun-compute's writer no longer lock each other out.
    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
