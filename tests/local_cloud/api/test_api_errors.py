from __future__ import annotations

import pytest

from tests.local_cloud.api.conftest import KEY, TOKEN, Api


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_without_the_token_nothing_is_told(api: Api, header: str) -> None:
    answer = api.get("/v2/droplets", headers={"Authorization": header})
    assert answer.status_code == 401
    body = answer.json()
    assert body["id"] == "unauthorized"
    assert body["message"].startswith("Unable to authenticate you")
    assert "/token" in body["message"]
    assert TOKEN not in answer.text


def test_who_is_on_the_port_is_told_without_a_token(api: Api) -> None:
    body = api.get("/healthz", headers={"Authorization": ""}).json()
    assert body["service"] == "slipway-local-cloud"
    assert body["state"].startswith("/")


@pytest.mark.parametrize(
    "path",
    [
        "/v2/droplets/1",
        "/v2/droplets/web",
        "/v2/droplets/99999999999999999999999",
        "/v2/droplets/1/actions",
        "/v2/actions/1",
        "/v2/account/keys/1",
        "/v2/account/keys/99999999999999999999999",
        "/v2/vpcs/00000000-0000-4000-8000-000000000000",
        "/v2/vpcs/nothing",
        "/v2/firewalls/00000000-0000-4000-8000-000000000000",
        "/v2/tags/nothing",
        "/v2/images/nothing",
        "/v2/images/99",
        "/v2/snapshots/1",
        "/v2/snapshots/fbe805e8-866b-11e6-96bf-000f53315a41",
        "/v2/droplets/1/destroy_with_associated_resources/status",
        "/v2/nothing",
        "/nothing",
    ],
)
def test_what_does_not_exist_is_not_found(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 404
    assert answer.json()["id"] == "not_found"


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=0", "per_page=201", "page=-1"])
def test_a_wrong_page_names_its_parameter(api: Api, query: str) -> None:
    parameter, _, value = query.partition("=")
    message = api.refused(422, "GET", f"/v2/sizes?{query}")
    assert message.startswith(f"{parameter}: ")
    assert value in message


def test_a_body_that_is_no_json_is_a_bad_request(api: Api) -> None:
    answer = api.post("/v2/tags", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["id"] == "bad_request"


@pytest.mark.parametrize("body", [None, [], "text", {}, {"name": None}, {"name": ["x"]}])
def test_a_body_of_the_wrong_form_is_unprocessable(api: Api, body: object) -> None:
    answer = api.post("/v2/tags", json=body)
    assert answer.status_code == 422
    assert answer.json()["id"] == "unprocessable_entity"


def test_a_key_is_known_by_its_md5_fingerprint(api: Api) -> None:
    key = api.ok("POST", "/v2/account/keys", json={"name": "me", "public_key": KEY})["ssh_key"]
    # As `ssh-keygen -E md5 -lf` tells it.
    assert key["fingerprint"] == "65:96:2d:fc:e8:d5:a9:11:64:0c:0f:ea:00:6e:5b:bd"
    assert api.ok("GET", f"/v2/account/keys/{key['fingerprint']}")["ssh_key"] == key
    assert key["public_key"] == KEY


def test_a_key_is_registered_only_once(api: Api) -> None:
    api.ok("POST", "/v2/account/keys", json={"name": "me", "public_key": KEY})
    same = {"name": "me again", "public_key": KEY.replace("someone", "me")}
    message = api.refused(422, "POST", "/v2/account/keys", json=same)
    assert message == "public_key: SSH Key is already in use on your account"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 not-base64",
        KEY[:60],
        KEY.replace("ssh-ed25519", "ssh-rsa"),
        f"{KEY}\n{KEY}",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
)
def test_what_is_no_public_key_is_refused_and_not_repeated(api: Api, wrong: str) -> None:
    message = api.refused(422, "POST", "/v2/account/keys", json={"name": "me", "public_key": wrong})
    assert message.startswith("public_key: ")
    assert len(wrong) < 20 or wrong not in message
