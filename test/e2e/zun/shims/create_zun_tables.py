"""Makes Zun's tables in SQLite. Usage: create_zun_tables.py URL. Zun's own migrations use statements that SQLite lacks; the models are the same."""
import sys

import sqlalchemy
from zun.db.sqlalchemy import models

models.Base.metadata.create_all(sqlalchemy.create_engine(sys.argv[1]))
