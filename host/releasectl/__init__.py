"""releasectl: the releases of one application on one server.

    /srv/<app>/incoming/<id>.tar.gz     an uploaded release, taken away once it is staged
              /releases/<id>/           its code; .slipway/ in it holds READY, BAD and MIGRATED
              /venvs/<hash>/            its packages, shared by all releases that need the same
              /instances/<instance>     -> ../releases/<id>: what the unit <app>@<instance> runs
              /current                  -> releases/<id>: what serves
              /previous, /next          -> releases/<id>: what served before, what is about to; for
                                        the static files that pages of theirs ask for
              /current.sock             -> /run/<app>/<instance>.sock: where nginx sends visitors
              /history.jsonl, lock      who did what when; who is at work now
    /etc/slipway/<app>/                 app.json (settings), env (secrets), the app server's files

An instance is a release with its environment: `<release id>-<hash of env, the app server's files
and the unit file>`. So a new setting is rolled out just like new code: started beside the old,
asked for its health, and only then shown to visitors, by renaming a symlink.

Every command can be killed at any point and run again: it goes on from what is there. What counts
as done is made aside and renamed into place. Standard library only; runs on Python 3.9 and later.

Exit status: 0 done, 1 failed, 2 wrong usage, 75 another releasectl is at work.
"""
