-- The records of one local cloud. Identifiers are never used twice (AUTOINCREMENT), as at DigitalOcean.
-- Times are ISO 8601 in UTC; columns called `..._json` hold JSON text.

CREATE TABLE IF NOT EXISTS ssh_keys (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    public_key  TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE IF NOT EXISTS vpcs (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    region      TEXT NOT NULL,
    ip_range    TEXT NOT NULL UNIQUE,
    is_default  INTEGER NOT NULL,
    created_at  TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS droplets (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    name            TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('new', 'active', 'off', 'archive')),
    region          TEXT NOT NULL,
    size            TEXT NOT NULL,
    disk            INTEGER NOT NULL, -- GiB; a resize may leave it smaller than the size's
    image_json      TEXT NOT NULL,    -- as it was at creation: the image itself may be deleted
    vpc_id          TEXT NOT NULL REFERENCES vpcs (id),
    public_address  TEXT NOT NULL UNIQUE,
    private_address TEXT NOT NULL UNIQUE,
    user_data       TEXT NOT NULL,
    ssh_keys_json   TEXT NOT NULL,    -- public keys, in authorized_keys form
    monitoring      INTEGER NOT NULL,
    created_at      TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS actions (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    status          TEXT NOT NULL CHECK (status IN ('in-progress', 'completed', 'errored')),
    type            TEXT NOT NULL,
    parameters_json TEXT NOT NULL,
    droplet_id      INTEGER NOT NULL, -- stays when the droplet is gone: actions are history;
                                      -- of a reserved IP, its address as a number
    region          TEXT NOT NULL,
    started_at      TEXT NOT NULL,
    completed_at    TEXT,
    error_message   TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS actions_of_droplet ON actions (droplet_id);
CREATE INDEX IF NOT EXISTS unfinished_actions ON actions (droplet_id) WHERE status = 'in-progress';

CREATE TABLE IF NOT EXISTS snapshots (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    name           TEXT NOT NULL,
    description    TEXT NOT NULL,
    distribution   TEXT NOT NULL,
    droplet_id     INTEGER NOT NULL,
    region         TEXT NOT NULL,
    min_disk_size  INTEGER NOT NULL,
    size_gigabytes REAL,              -- NULL until the disk is copied
    created_at     TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS firewalls (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    inbound_json  TEXT NOT NULL,
    outbound_json TEXT NOT NULL,
    created_at    TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS firewall_droplets (
    firewall_id TEXT NOT NULL REFERENCES firewalls (id) ON DELETE CASCADE,
    droplet_id  INTEGER NOT NULL REFERENCES droplets (id) ON DELETE CASCADE,
    PRIMARY KEY (firewall_id, droplet_id)
) STRICT;

CREATE TABLE IF NOT EXISTS tags (
    name TEXT PRIMARY KEY COLLATE NOCASE -- the first spelling is the canonical one
) STRICT;

CREATE TABLE IF NOT EXISTS firewall_tags (
    firewall_id TEXT NOT NULL REFERENCES firewalls (id) ON DELETE CASCADE,
    tag         TEXT NOT NULL REFERENCES tags (name) ON DELETE CASCADE,
    PRIMARY KEY (firewall_id, tag)
) STRICT;

CREATE TABLE IF NOT EXISTS tagged_resources (
    tag           TEXT NOT NULL REFERENCES tags (name) ON DELETE CASCADE,
    resource_type TEXT NOT NULL CHECK (resource_type IN ('droplet', 'image')),
    resource_id   INTEGER NOT NULL,
    PRIMARY KEY (tag, resource_type, resource_id)
) STRICT;
CREATE TRIGGER IF NOT EXISTS untag_deleted_droplet AFTER DELETE ON droplets BEGIN
    DELETE FROM tagged_resources WHERE resource_type = 'droplet' AND resource_id = old.id;
END;
CREATE TRIGGER IF NOT EXISTS untag_deleted_snapshot AFTER DELETE ON snapshots BEGIN
    DELETE FROM tagged_resources WHERE resource_type = 'image' AND resource_id = old.id;
END;

-- A droplet deleted together with its snapshots: what was asked, and what became of it.
CREATE TABLE IF NOT EXISTS joint_deletions (
    droplet_id   INTEGER PRIMARY KEY,
    droplet_name TEXT NOT NULL,
    destroyed_at TEXT,
    completed_at TEXT,
    error_message TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS joint_deletion_snapshots (
    droplet_id    INTEGER NOT NULL REFERENCES joint_deletions (droplet_id) ON DELETE CASCADE,
    snapshot_id   INTEGER NOT NULL,
    name          TEXT NOT NULL,
    destroyed_at  TEXT,
    error_message TEXT,
    PRIMARY KEY (droplet_id, snapshot_id)
) STRICT;

CREATE TABLE IF NOT EXISTS reserved_ips (
    ip         TEXT PRIMARY KEY,
    region     TEXT NOT NULL,
    droplet_id INTEGER UNIQUE REFERENCES droplets (id) ON DELETE SET NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS certificates (
    id               TEXT PRIMARY KEY, -- another one after each renewal
    name             TEXT NOT NULL UNIQUE,
    type             TEXT NOT NULL CHECK (type IN ('custom', 'lets_encrypt')),
    state            TEXT NOT NULL CHECK (state IN ('pending', 'verified', 'error')),
    dns_names_json   TEXT NOT NULL,
    private_key      TEXT NOT NULL,    -- this and the next are empty until it is verified
    chain            TEXT NOT NULL,    -- in PEM, the certificate itself first
    not_after        TEXT NOT NULL,
    sha1_fingerprint TEXT NOT NULL,
    created_at       TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS load_balancers (
    number          INTEGER PRIMARY KEY AUTOINCREMENT, -- what the hosts know it by
    id              TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL UNIQUE,
    status          TEXT NOT NULL CHECK (status IN ('new', 'active', 'errored')),
    vpc_id          TEXT NOT NULL REFERENCES vpcs (id),
    public_address  TEXT NOT NULL UNIQUE,
    private_address TEXT NOT NULL UNIQUE,
    tag             TEXT,          -- the droplets with this tag, instead of those listed below
    settings_json   TEXT NOT NULL, -- all else of the order, complete with defaults
    created_at      TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS load_balancer_droplets (
    number     INTEGER NOT NULL REFERENCES load_balancers (number) ON DELETE CASCADE,
    droplet_id INTEGER NOT NULL REFERENCES droplets (id) ON DELETE CASCADE,
    PRIMARY KEY (number, droplet_id)
) STRICT;

CREATE TABLE IF NOT EXISTS domains (
    name       TEXT PRIMARY KEY COLLATE NOCASE,
    ttl        INTEGER NOT NULL, -- seconds, of records that say nothing else
    serial     INTEGER NOT NULL, -- of the zone: another one after each change
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS domain_records (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    domain   TEXT NOT NULL COLLATE NOCASE REFERENCES domains (name) ON DELETE CASCADE,
    type     TEXT NOT NULL CHECK (
        type IN ('A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'SOA', 'SRV', 'TXT')
    ),
    name     TEXT NOT NULL COLLATE NOCASE, -- within the domain; @ is the domain itself
    data     TEXT NOT NULL,                -- as it is answered: host names without their last dot
    priority INTEGER,
    port     INTEGER,
    ttl      INTEGER NOT NULL,
    weight   INTEGER,
    flags    INTEGER,
    tag      TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS records_of_domain ON domain_records (domain, name, type);
