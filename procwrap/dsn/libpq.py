"""What libpq, PostgreSQL's client library, calls its settings, and which variables stand for them.

From "Database Connection Control Functions" and "Environment Variables" of PostgreSQL 17's documentation.
"""

from __future__ import annotations

from collections.abc import Mapping

VARIABLES: Mapping[str, str] = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "gssdelegation": "PGGSSDELEGATION",
    "gssencmode": "PGGSSENCMODE",
    "gsslib": "PGGSSLIB",
    "krbsrvname": "PGKRBSRVNAME",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "options": "PGOPTIONS",
    "passfile": "PGPASSFILE",
    "require_auth": "PGREQUIREAUTH",
    "requirepeer": "PGREQUIREPEER",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "sslcert": "PGSSLCERT",
    "sslcertmode": "PGSSLCERTMODE",
    "sslcompression": "PGSSLCOMPRESSION",
    "sslcrl": "PGSSLCRL",
    "sslcrldir": "PGSSLCRLDIR",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslrootcert": "PGSSLROOTCERT",
    "sslsni": "PGSSLSNI",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
"""Keyword to the variable that libpq takes it from when it is not given."""

DEFAULTS: Mapping[str, str] = {
    "channel_binding": "prefer",
    # Not libpq's own "prefer": a look for Kerberos tickets reads files and may ask name servers, which waits.
    "gssencmode": "disable",
    "options": "",
    "passfile": "",
    "requirepeer": "",
    "sslcert": "",
    "sslcrl": "",
    "sslkey": "",
    "sslmode": "prefer",
    "sslrootcert": "",
    "target_session_attrs": "any",
}
"""What is passed when nobody says anything: left out, libpq would take procwrap's own variable."""

KEYWORDS = frozenset(
    {
        *VARIABLES,
        *("application_name", "client_encoding", "fallback_application_name", "keepalives"),
        *("keepalives_count", "keepalives_idle", "keepalives_interval", "replication", "sslpassword"),
        "tcp_user_timeout",
    }
)
"""Every setting that a connection string may have; ``service`` stands for others and is not among them."""
