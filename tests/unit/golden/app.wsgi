# Slipway: what mod_wsgi loads for site.
from wsgi import app as application
