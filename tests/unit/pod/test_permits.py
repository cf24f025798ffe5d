from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.permits import Permit, Reply
from procwrap.pod.permits import PATIENCE, Births, Sidecars
from procwrap.spec.pod import Birth
from tests.support.podapi import MemoryApi
from tests.support.pods import make_pod, put, terminated


class PermitTests(SynchronousTestCase):
    """What a process hears that asks."""

    def setUp(self) -> None:
        self.home = Path(self.mktemp())
        self.home.mkdir()
        self.granted: list[str] = []
        self.reasons: list[str] = []
        self.given_up: list[str] = []
        self.build()

    def build(self, pod: dict[str, Any] | None = None) -> None:
        self.memory = MemoryApi(self.home, pod)
        self.cluster = self.memory.cluster

    def reply(self, name: str) -> Reply:
        return Reply(
            lambda variables: self.granted.append(name),
            self.fail,
            self.reasons.append,
            self.fail,
        )

    def ask(self, permit: Permit, name: str = "app") -> None:
        permit.ask(name, self.reply(name))
        self.memory.settle()

    def at_rest(self) -> bool:
        self.memory.settle()
        return not self.cluster.watching() and not self.memory.clock.getDelayedCalls()


class SidecarsTests(PermitTests):
    def permit(self, own: str = "main") -> Sidecars:
        return Sidecars(self.memory.watch, lambda pod: own, self.memory.clock, self.given_up.append)

    def test_all_are_ready(self) -> None:
        """It starts, and nothing is watched any more."""
        self.cluster.ready("proxy")
        self.ask(self.permit())
        self.assertEqual(self.granted, ["app"])
        self.assertTrue(self.at_rest())

    def test_it_says_for_which_it_waits(self) -> None:
        """At each change anew, until none is left; native sidecars are waited for, too."""
        self.build(make_pod(("main", "proxy"), sidecars=("log",), init=("prepare",)))
        self.ask(self.permit())
        self.cluster.put("proxy", {"running": {}})
        self.memory.settle()
        self.cluster.ready("proxy")
        self.memory.settle()
        self.assertEqual(self.granted, [])
        self.cluster.ready("log")
        self.memory.settle()
        self.assertEqual(self.granted, ["app"])
        self.assertEqual(
            self.reasons,
            [
                "waits for the Kubernetes API to say how the other containers are",
                "waits for the other containers: log (ContainerCreating), proxy (ContainerCreating)",
                "waits for the other containers: log (ContainerCreating), proxy (not ready)",
                "waits for the other containers: log (ContainerCreating)",
            ],
        )

    def test_our_own_container_is_not_waited_for(self) -> None:
        """Ready or not, and whichever it is."""
        self.cluster.put("main", {"running": {}}, ready=False)
        self.cluster.ready("proxy")
        self.ask(self.permit(own="main"))
        self.assertEqual(self.granted, ["app"])

    def test_our_own_container_is_not_known(self) -> None:
        """Nothing starts before it is."""
        self.cluster.ready("main", "proxy")
        self.ask(self.permit(own=""))
        self.assertEqual(self.granted, [])
        self.assertEqual(self.reasons[-1], "which container is ours is not known yet")

    def test_it_is_enough_to_be_ready_once(self) -> None:
        """A restart later on asks nobody."""
        permit = self.permit()
        self.cluster.ready("proxy")
        self.ask(permit)
        self.cluster.put("proxy", terminated(1))
        self.ask(permit)
        permit.ended("app")
        self.assertEqual((self.granted, self.given_up), (["app", "app"], []))
        self.assertTrue(self.at_rest())

    def test_all_processes_wait(self) -> None:
        """They share one watch."""
        permit = self.permit()
        for name in ("a", "b", "c"):
            self.ask(permit, name)
        permit.leave("b")
        self.cluster.ready("proxy")
        self.memory.settle()
        self.assertEqual((self.granted, self.cluster.count("watch")), (["a", "c"], 1))

    def test_a_sidecar_that_has_ended(self) -> None:
        """With restartPolicy Never nothing is worth waiting for any more, and it is said why."""
        for code in (0, 1):
            self.build(put(make_pod(policy="Never"), "proxy", terminated(code)))
            self.ask(self.permit())
            expected = f"proxy (terminated with exit code {code}): it is never started again"
            self.assertEqual(self.given_up.pop(), f"{expected}, so it will not be ready")
            self.assertEqual(self.granted, [])

    def test_a_sidecar_that_is_restarted(self) -> None:
        """It is waited for."""
        self.build(put(make_pod(policy="OnFailure"), "proxy", terminated(1)))
        self.ask(self.permit())
        self.cluster.ready("proxy")
        self.memory.settle()
        self.assertEqual((self.given_up, self.granted), ([], ["app"]))

    def test_leaving(self) -> None:
        """Who is told to end while it waits never starts, and nothing is watched any more."""
        permit = self.permit()
        self.ask(permit)
        permit.leave("app")
        self.assertTrue(self.at_rest())
        self.cluster.ready("proxy")
        self.memory.settle()
        self.assertEqual(self.granted, [])

    def test_nobody_answers(self) -> None:
        """The proxy that leads to the API server may be what is waited for: as long as it takes."""
        self.cluster.status = 503
        self.ask(self.permit())
        for _ in range(300):
            self.memory.settle(1)
        self.assertEqual(self.given_up, [])
        self.assertIn("the API server answers 503", self.reasons[-1])
        self.cluster.status = 0
        self.cluster.ready("proxy")
        for _ in range(10):
            self.memory.settle(1)
        self.assertEqual(self.granted, ["app"])

    def test_the_api_server_says_no(self) -> None:
        """That does not pass by itself: an end with the reason, after a while for a Role that comes late."""
        self.cluster.forbidden = ["list"]
        permit = self.permit()
        self.ask(permit)
        for _ in range(int(PATIENCE) - 1):
            self.memory.settle(1)
        self.assertEqual(self.given_up, [])
        self.memory.settle(2)
        [reason] = self.given_up
        self.assertIn("cannot be waited for: system:serviceaccount:shop:job may not list pods", reason)
        permit.leave("app")
        self.assertTrue(self.at_rest())

    def test_a_right_to_list_is_not_enough(self) -> None:
        """What is known gets old then: an end with the reason, as well."""
        self.cluster.forbidden = ["watch"]
        self.ask(self.permit())
        for _ in range(60):
            self.memory.settle(1)
        self.assertIn("may not watch pods in the namespace shop", self.given_up[0])

    def test_a_role_that_comes_late(self) -> None:
        """Nothing is given up then."""
        self.cluster.forbidden = ["list"]
        self.ask(self.permit())
        self.memory.settle(10)
        self.cluster.forbidden = []
        self.cluster.ready("proxy")
        for _ in range(60):
            self.memory.settle(1)
        self.assertEqual((self.given_up, self.granted), ([], ["app"]))


class BirthsTests(PermitTests):
    def permit(self, **births: Birth) -> Births:
        return Births(self.memory.watch, births, self.memory.clock, self.given_up.append)

    def test_they_are_ready(self) -> None:
        """It starts, and nothing is left behind: no watch, and no timer."""
        self.cluster.ready("proxy")
        self.ask(self.permit(app=Birth(("proxy",))))
        self.assertEqual(self.granted, ["app"])
        self.assertTrue(self.at_rest())

    def test_only_these_are_waited_for(self) -> None:
        """Others, and our own, may be as they like; which ones is said."""
        self.build(make_pod(("main", "proxy", "cache", "other")))
        self.ask(self.permit(app=Birth(("proxy", "cache"))))
        self.cluster.ready("proxy")
        self.memory.settle()
        self.cluster.ready("cache")
        self.memory.settle()
        self.assertEqual(self.granted, ["app"])
        self.assertEqual(
            self.reasons,
            [
                "waits for the containers proxy, cache",
                "waits for the containers proxy (ContainerCreating), cache (ContainerCreating)",
                "waits for the containers cache (ContainerCreating)",
            ],
        )

    def test_the_time_is_up(self) -> None:
        """Everything ends, and it is said what was missing."""
        permit = self.permit(app=Birth(("proxy",)))
        self.ask(permit)
        self.memory.settle(29.9)
        self.assertEqual(self.given_up, [])
        self.memory.settle(0.1)
        expected = (
            "app did not get to start within 30s: it waits for the containers proxy (ContainerCreating)"
        )
        self.assertEqual(self.given_up, [expected])
        permit.leave("app")
        self.assertTrue(self.at_rest())

    def test_the_time_is_up_and_nobody_has_answered(self) -> None:
        """Then that is what is said."""
        self.cluster.forbidden = ["list"]
        self.ask(self.permit(app=Birth(("proxy",), 5.0)))
        self.memory.settle(5)
        [reason] = self.given_up
        self.assertIn("may not list pods in the namespace shop", reason)

    def test_a_container_that_does_not_exist(self) -> None:
        """It never will: no need to wait."""
        self.ask(self.permit(app=Birth(("proxi",))))
        expected = "app cannot start: there is no container proxi in this Pod, only main, proxy"
        self.assertEqual(self.given_up, [expected])

    def test_a_container_that_has_ended_for_good(self) -> None:
        """It will never be ready."""
        self.build(put(make_pod(), "proxy", terminated(1)))
        self.ask(self.permit(app=Birth(("proxy",))))
        expected = "app cannot start: proxy (terminated with exit code 1) is never started again"
        self.assertEqual(self.given_up, [expected])

    def test_an_init_container_that_is_done(self) -> None:
        """It counts as ready, as the kubelet says."""
        self.build(make_pod(init=("prepare",)))
        self.ask(self.permit(app=Birth(("prepare",))))
        self.assertEqual(self.granted, ["app"])

    def test_each_process_waits_for_its_own(self) -> None:
        """They share one watch, and each has its own time."""
        self.build(make_pod(("main", "proxy", "cache")))
        permit = self.permit(a=Birth(("proxy",)), b=Birth(("cache",), 5.0))
        self.ask(permit, "a")
        self.ask(permit, "b")
        self.cluster.ready("proxy")
        self.memory.settle()
        self.assertEqual((self.granted, self.cluster.count("watch")), (["a"], 1))
        self.memory.settle(5)
        self.assertIn("b did not get to start within 5s", self.given_up[0])

    def test_one_that_comes_later_sees_what_is_known(self) -> None:
        """At once, without asking anybody."""
        permit = self.permit(a=Birth(("proxy",)), b=Birth(("main",)))
        self.ask(permit, "a")
        permit.ask("b", self.reply("b"))
        self.assertEqual(self.granted, ["b"])

    def test_a_restart_waits_anew(self) -> None:
        """As kubexit does, which the kubelet starts again with its container."""
        permit = self.permit(app=Birth(("proxy",)))
        self.cluster.ready("proxy")
        self.ask(permit)
        self.cluster.put("proxy", terminated(1))
        self.cluster.put("proxy", {"running": {}})
        self.ask(permit)
        self.assertEqual(self.granted, ["app"])
        self.cluster.ready("proxy")
        self.memory.settle()
        self.assertEqual(self.granted, ["app", "app"])

    def test_leaving(self) -> None:
        """Who is told to end while it waits never starts, and never ends everything."""
        permit = self.permit(app=Birth(("proxy",)))
        self.ask(permit)
        permit.leave("app")
        permit.leave("app")
        self.assertTrue(self.at_rest())
        self.memory.settle(60)
        self.assertEqual((self.granted, self.given_up), ([], []))
