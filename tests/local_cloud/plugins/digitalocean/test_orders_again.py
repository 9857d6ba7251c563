"""An order that is answered with an error is given again, as the official plugin gives it.

pulumi-digitalocean sets godo's RetryConfig from httpRetryMax (4 by default), and godo takes
go-retryablehttp with its DefaultRetryPolicy: 429 and every 5xx but 501, whatever the method is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local_cloud.api.conftest import TOKEN, Api
from tests.local_cloud.api.forgetful_proxy import ForgetfulProxy, forgetful
from tests.local_cloud.plugins.digitalocean.conftest import STAND_IN
from tests.local_cloud.plugins.digitalocean.plugin_process import PluginError, PluginProcess
from tests.local_cloud.plugins.digitalocean.words import KEY_PAIR, PUBLIC_KEY, SERVER, WEB, Made

ORDER = ("POST", "/v2/droplets")
QUICK = {"httpRetryWaitMin": 0.01}


@pytest.fixture
def proxy(api: Api) -> Iterator[ForgetfulProxy]:
    with forgetful(api.url) as proxy:
        yield proxy


def plugin_of(proxy: ForgetfulProxy, **settings: float) -> PluginProcess:
    process = PluginProcess(STAND_IN)
    process.configure({"token": TOKEN, "apiEndpoint": proxy.url, **QUICK, **settings})
    return process


def test_a_droplet_whose_order_is_answered_504_is_ordered_again(
    proxy: ForgetfulProxy, api: Api
) -> None:
    proxy.forgets[ORDER] = 1
    with plugin_of(proxy) as plugin:
        made = Made(plugin, WEB, SERVER).state
    assert proxy.orders.count(ORDER) == 2
    there = api.ok("GET", "/v2/droplets")["droplets"]
    assert [each["name"] for each in there] == [SERVER["name"]] * 2
    assert int(made["id"]) == max(each["id"] for each in there), "the second order is known"


def test_it_is_ordered_as_often_as_the_setting_says_and_then_given_up(
    proxy: ForgetfulProxy,
) -> None:
    proxy.forgets[ORDER] = 99
    with (
        plugin_of(proxy, httpRetryMax=2) as plugin,
        pytest.raises(PluginError, match=r"504 .*giving up after 3 attempt\(s\)"),
    ):
        Made(plugin, WEB, SERVER)
    assert proxy.orders.count(ORDER) == 3


def test_without_retries_it_is_ordered_once(proxy: ForgetfulProxy, api: Api) -> None:
    proxy.forgets[ORDER] = 1
    with (
        plugin_of(proxy, httpRetryMax=0) as plugin,
        pytest.raises(PluginError, match="504 The gateway timed out"),
    ):
        Made(plugin, WEB, SERVER)
    assert len(api.ok("GET", "/v2/droplets")["droplets"]) == 1


def test_a_key_that_was_ordered_twice_is_refused_by_what_is_unique_of_it(
    proxy: ForgetfulProxy, api: Api
) -> None:
    proxy.forgets["POST", "/v2/account/keys"] = 1
    with (
        plugin_of(proxy) as plugin,
        pytest.raises(PluginError, match=r"422 .*already in use on your account"),
    ):
        Made(plugin, KEY_PAIR, {"name": "someone", "publicKey": PUBLIC_KEY})
    assert len(api.ok("GET", "/v2/account/keys")["ssh_keys"]) == 1
