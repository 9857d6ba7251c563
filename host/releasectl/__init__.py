"""releasectl: the releases of one application on one server.

    /srv/<app>/incoming/<id>.tar.gz     an uploaded release, removed once it is staged
              /releases/<id>/           its code; .slipway/ in it holds the marks READY, BAD and
                                        RELEASE_COMMAND
              /venvs/<hash>/            its packages, shared by all releases that need the same
              /instances/<instance>/    a link to its release, and the files it was made from: what
                                        the unit <app>@<instance> runs
              /current                  -> releases/<id>: the release that serves
              /previous, /next          -> releases/<id>: the one before and the one to come, for
                                        static files that their pages refer to
              /current.sock             -> /run/<app>/<instance>.sock: where nginx sends requests
              /pending.json             a switch that nobody has confirmed yet
              /history.jsonl, lock      who did what and when; who holds the lock now
    /etc/slipway/<app>/                 app.json (settings), env (secrets), the app server's files

An instance is a release with its configuration: `<release id>-<hash of env, the app server's files
and the unit file>`. So a changed setting is rolled out just like new code: the new instance starts
beside the old one, has its health checked, and only then gets visitors, by renaming a symlink.

Every command can be killed at any point and run again: it continues from whatever is there. Results
are created under a temporary name and renamed into place. Standard library only; Python 3.9 or
later.

Exit status: 0 done, 1 failed, 2 wrong usage, 75 another releasectl holds the lock.
"""
