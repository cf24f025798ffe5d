from __future__ import annotations

import pytest

from procwrap.dsn.mysqloptions import UNUSED, read_options
from procwrap.dsn.mysqlparts import MysqlOptions, Tls
from procwrap.dsn.problem import DsnError

SECRET = "s3cr3t-w0rd"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", MysqlOptions()),
        ("&", MysqlOptions()),
        ("tls=true", MysqlOptions(tls=Tls.VERIFY_FULL)),
        ("tls=0", MysqlOptions()),
        ("tls=skip-verify", MysqlOptions(tls=Tls.REQUIRED)),
        ("tls=preferred", MysqlOptions(tls=Tls.PREFERRED)),
        ("tls=true&ssl-ca=%2Fca.pem", MysqlOptions(tls=Tls.VERIFY_FULL, ca="/ca.pem")),
        ("ssl_ca=/ca.pem", MysqlOptions(tls=Tls.VERIFY_CA, ca="/ca.pem")),
        ("ssl-mode=VERIFY_IDENTITY", MysqlOptions(tls=Tls.VERIFY_FULL)),
        ("ssl-mode=verify-ca", MysqlOptions(tls=Tls.VERIFY_CA)),
        ("ssl-mode=REQUIRED", MysqlOptions(tls=Tls.REQUIRED)),
        ("ssl-mode=DISABLED", MysqlOptions()),
        ("tls=true&ssl-cert=a&ssl-key=b", MysqlOptions(tls=Tls.VERIFY_FULL, certificate=("a", "b"))),
        ("tls=true&ssl-cert=a", MysqlOptions(tls=Tls.VERIFY_FULL, certificate=("a", "a"))),
        ("charset=utf8mb4,utf8", MysqlOptions(charsets=("utf8mb4", "utf8"))),
        ("collation=utf8mb4_bin", MysqlOptions(collation="utf8mb4_bin")),
        ("allowCleartextPasswords=1", MysqlOptions(cleartext_passwords=True)),
        ("allowNativePasswords=False", MysqlOptions(native_passwords=False)),
        ("multiStatements=TRUE", MysqlOptions(multi_statements=True)),
        ("time_zone=%27%2B03:00%27", MysqlOptions(variables=(("time_zone", "'+03:00'"),))),
        ("b=1&a=x+y&b=2", MysqlOptions(variables=(("a", "x y"), ("b", "2")))),
        ("@@session.sql_mode=''", MysqlOptions(variables=(("@@session.sql_mode", "''"),))),
    ],
)  # fmt: skip
def test_options(query: str, expected: MysqlOptions) -> None:
    """Parameters mean what they mean to Go's driver, and --ssl-… what it means to MySQL's own clients."""
    assert read_options(query, variables=True) == expected


def test_unused() -> None:
    """What means nothing to a probe is let pass, whatever its value."""
    query = "&".join(f"{name}=anything" for name in UNUSED)
    assert read_options(query, variables=False) == MysqlOptions()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("tls", "parameter 1 has no value"),
        ("tls=true&&charset", "parameter 3 has no value"),
        (
            f"tls={SECRET}",
            "tls has a value that is not known: expected true, false, skip-verify or preferred",
        ),
        (f"ssl-mode={SECRET}", "ssl-mode has a value that is not known: expected one of DISABLED, PREFERRED"),
        ("tls=true&ssl-mode=REQUIRED", "tls and ssl-mode say the same"),
        ("tls=skip-verify&ssl-ca=/ca.pem", "ssl-ca is given, but no certificate is verified"),
        ("ssl-key=/key.pem", "ssl-key is given without ssl-cert"),
        (f"charset={SECRET}", "charset is malformed"),
        ("charset=utf8,", "charset is malformed"),
        (f"collation={SECRET};", "collation is malformed"),
        (f"allowNativePasswords={SECRET}", "allowNativePasswords is neither true nor false"),
        (f"{SECRET}=1", "parameter 1 is neither known nor the name of a system variable"),
        (f"tls=true&a=%2&{SECRET}", "the value of parameter 2 has a % without two hexadecimal digits"),
    ],
)
def test_problems(query: str, said: str) -> None:
    """A known parameter is named, of an unknown one only the place is told; values never are."""
    with pytest.raises(DsnError) as problem:
        read_options(query, variables=True)
    assert said in str(problem.value)
    assert SECRET not in str(problem.value)
