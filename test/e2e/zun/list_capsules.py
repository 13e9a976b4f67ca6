"""Prints the capsules of OS_* at ZUN_URL as JSON, through python-zunclient: its command prints a table for people."""
import json, os, sys
from keystoneauth1 import loading, session
from zunclient import client
auth = loading.get_plugin_loader("password").load_from_options(
    auth_url=os.environ["OS_AUTH_URL"], username=os.environ["OS_USERNAME"], password=os.environ["OS_PASSWORD"],
    project_name=os.environ["OS_PROJECT_NAME"], user_domain_name="Default", project_domain_name="Default")
zun = client.Client("1.40", session=session.Session(auth=auth), endpoint_override=os.environ["ZUN_URL"])
json.dump([c.to_dict() for c in zun.capsules.list()], sys.stdout)
