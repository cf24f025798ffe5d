from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.notifications import LONGEST, LONGEST_STATUS, Notified, hear, hear_line

NOW = 100.0


def after(*messages: bytes, before: Notified | None = None, now: float = NOW) -> Notified:
    """What is true after these messages, one second apart."""
    notified = before or Notified()
    for message in messages:
        notified = hear(notified, message, now)
        now += 1.0
    return notified


class HearTests(SynchronousTestCase):
    def test_ready(self) -> None:
        """READY=1 makes it ready, from the first time on; anything else does not."""
        self.assertEqual(after(b"READY=1", b"READY=1").ready_at, NOW)
        for other in (b"READY=0", b"READY=", b"READY", b"READY=11", b"XREADY=1", b"ready=1", b" READY=1"):
            self.assertEqual(after(other), Notified(), other)

    def test_a_line_on_the_descriptor(self) -> None:
        """It means the same as READY=1."""
        self.assertEqual(hear_line(Notified(), NOW), after(b"READY=1"))

    def test_several_assignments(self) -> None:
        """One message may hold many, in lines of either kind, with or without an end."""
        for message in (b"STATUS=up\nREADY=1", b"\n\nREADY=1\nSTATUS=up\n", b"READY=1\r\nSTATUS=up\r\n"):
            said = after(message)
            self.assertEqual((said.ready_at, said.status), (NOW, "up"), message)

    def test_the_first_of_two_counts(self) -> None:
        """Of an assignment that stands there twice, as with systemd."""
        self.assertEqual(after(b"STATUS=a\nSTATUS=b").status, "a")

    def test_stopping(self) -> None:
        """It is not ready from then on, whatever it says afterwards."""
        self.assertTrue(after(b"READY=1", b"STOPPING=1", b"READY=1").stopping)
        self.assertFalse(after(b"STOPPING=0").stopping)

    def test_reloading(self) -> None:
        """A process that reloads stays what it was."""
        ready = after(b"READY=1")
        self.assertEqual(after(b"RELOADING=1\nMONOTONIC_USEC=77", before=ready), ready)

    def test_watchdog(self) -> None:
        """READY=1, WATCHDOG=1 and a new interval feed it; a trigger stays for the run."""
        self.assertEqual(after(b"READY=1", b"WATCHDOG=1").silence(NOW + 3), 2.0)
        self.assertEqual(after(b"READY=1", b"WATCHDOG_USEC=2500000").silence(NOW + 3), 2.0)
        self.assertEqual(after(b"READY=1").silence(NOW + 3), 3.0)
        self.assertTrue(after(b"WATCHDOG=trigger", b"WATCHDOG=1").triggered)
        self.assertEqual(after(b"WATCHDOG=2"), Notified())

    def test_interval(self) -> None:
        """Microseconds, 0 and the largest number for never; what is no number changes nothing."""
        self.assertEqual(after(b"WATCHDOG_USEC=2500000").interval, 2.5)
        self.assertEqual(after(b"WATCHDOG_USEC=0").interval, 0.0)
        self.assertEqual(after(b"WATCHDOG_USEC=18446744073709551615").interval, 0.0)
        for value in (b"", b"-1", b"1.5", b"1s", b"1" * 21, b"9" * 20, "٣".encode()):
            self.assertEqual(after(b"WATCHDOG_USEC=" + value), Notified(), value)

    def test_patience(self) -> None:
        """It lasts for the time that was asked for, and ends with the stretch of life it was for."""
        asked = after(b"EXTEND_TIMEOUT_USEC=5000000")
        self.assertEqual([asked.is_patient(NOW + late) for late in (0.0, 4.9, 5.0)], [True, True, False])
        self.assertFalse(after(b"EXTEND_TIMEOUT_USEC=5000000", b"READY=1").is_patient(NOW + 1))
        self.assertFalse(after(b"EXTEND_TIMEOUT_USEC=5000000", b"STOPPING=1").is_patient(NOW + 1))
        for value in (b"0", b"18446744073709551615", b"much"):
            self.assertFalse(after(b"EXTEND_TIMEOUT_USEC=" + value).is_patient(NOW), value)

    def test_patience_for_what_begins(self) -> None:
        """In the same message it is meant for the new stretch, wherever it stands."""
        for message in (
            b"EXTEND_TIMEOUT_USEC=5000000\nSTOPPING=1",
            b"STOPPING=1\nEXTEND_TIMEOUT_USEC=5000000",
        ):
            self.assertTrue(after(message).is_patient(NOW + 4.9))

    def test_status(self) -> None:
        """One line without control characters, cut, and empty again when it is said to be."""
        self.assertEqual(after("STATUS=läuft \t\x1b[31m\x07 gut".encode()).status, "läuft [31m gut")
        self.assertEqual(after(b"STATUS=\xff\xfe").status, "\ufffd\ufffd")
        self.assertEqual(len(after(b"STATUS=" + b"x" * 4000).status), LONGEST_STATUS)
        self.assertEqual(after(b"STATUS=busy", b"STATUS=").status, "")

    def test_what_is_ignored(self) -> None:
        """Unknown assignments, binary, and messages with a NUL inside; one at the end does no harm."""
        for message in (
            b"",
            b"\n",
            b"FDSTORE=1",
            b"BARRIER=1",
            b"X_MINE=1",
            b"READY=1\0STATUS=x",
            b"\0" * 99,
        ):
            self.assertEqual(after(message), Notified(), message)
        self.assertEqual(after(b"READY=1\0").ready_at, NOW)

    def test_main_pid(self) -> None:
        """It is noticed, for the log, and changes nothing else."""
        self.assertEqual(after(b"MAINPID=7"), Notified(gives_main_pid=True))


@given(st.lists(st.binary(max_size=LONGEST) | st.just(b"READY=1\nWATCHDOG_USEC=1"), max_size=5))
def test_nothing_that_is_said_breaks_it(messages: list[bytes]) -> None:
    """Whatever comes: a status of one short line, and an interval that is none or no less than 0."""
    said = after(*messages)
    assert len(said.status) <= LONGEST_STATUS
    assert said.status.isprintable()
    assert said.interval is None or said.interval >= 0
