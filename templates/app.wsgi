# Slipway: what mod_wsgi loads for {{ app }}.
{% set name, callable = module.split(":") %}
from {{ name }} import {{ callable.removesuffix("()") }} as application
{% if callable.endswith("()") %}

application = application()
{% endif %}
