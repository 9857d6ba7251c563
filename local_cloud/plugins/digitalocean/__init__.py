"""The stand-in for the official Pulumi plugin `digitalocean` 4.84.1.

Each resource is a table (`schema.Table`) with four functions that talk to the API; all the
rest follows from the tables: `check` fills and judges inputs, `plan` says what the state will
be, `difference` names what changes, `importing` leads from a state back to inputs, `service`
answers the engine.
"""
