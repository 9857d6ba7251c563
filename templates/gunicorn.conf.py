# Slipway: gunicorn for {{ app }}. The socket is given by the unit, one for each running release.
import gc
import multiprocessing

workers = {{ workers or "2 * multiprocessing.cpu_count() + 1" }}
threads = {{ worker_threads }}
# A worker that has not been heard of for so long is killed.
timeout = {{ request_seconds }}
{% if max_requests %}
# Not all workers at once.
max_requests = {{ max_requests }}
max_requests_jitter = {{ max_requests // 10 }}
{% endif %}
# In-flight requests of an old release may take this long to end.
graceful_timeout = {{ drain_seconds }}
# nginx, in the application's group, is the only one to connect.
umask = 0o007
forwarded_allow_ips = "*"
# The worker's heartbeat file: in memory, so that a slow disk never looks like a hung worker.
worker_tmp_dir = "/dev/shm"
accesslog = None
errorlog = "-"
# A newer gunicorn's socket for commands, in the home folder, where the application may not write.
control_socket_disable = True


# While a worker imports the application there is no garbage to look for, and none that matters
# when it ends: together a quarter of what its start and its end take.
def post_fork(server: object, worker: object) -> None:
    gc.disable()


def post_worker_init(worker: object) -> None:
    gc.enable()


def worker_exit(server: object, worker: object) -> None:
    gc.freeze()
