"""Who is let in: tokens that are good, forged or stale, and what each caller sees of the others."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp

from api_world import CLIENT, ISSUER, Client, Issuer, SteadyModel, World, open_world, shop_services
from text2sql.errors import InvalidSettings
from text2sql_api.auth import GatewayAuthenticator, LocalAuthenticator, TokenAuthenticator
from text2sql_api.cursors import write_cursor
from text2sql_api.errors import IdentityUnavailable, Unauthenticated
from text2sql_api.gate import PUBLIC
from text2sql_api.identity import Person
from text2sql_api.keys import REFRESH_SECONDS, KeySet
from text2sql_api.main import create_app, create_routes
from text2sql_api.metrics import Metrics
from text2sql_api.serving import open_authenticator
from text2sql_api.settings import ApiSettings

POLICY = """
attributes:
  segment: text
groups:
  sales:
    tables:
      customers: {rows: "segment = {caller.segment}"}
  support:
    tables:
      orders: {}
"""


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def world(tmp_path: Path, issuer: Issuer) -> Iterator[World]:
    """Two databases: sales and support see parts of the shop, and neither sees the vault."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "nobody.yaml").write_text("groups: {nobody: {tables: {orders: {}}}}")
    model = SteadyModel("SELECT name FROM customers")
    datasources = {
        "shop": shop_services(tmp_path / "shop.db", model, tmp_path / "policy.yaml"),
        "vault": shop_services(tmp_path / "vault.db", model, tmp_path / "nobody.yaml"),
    }
    settings = {"attribute_claims": "segment=custom:segment", "requests_per_minute": 100_000}
    with open_world(tmp_path, issuer=issuer, datasources=datasources, model=model, **settings) as opened:
        yield opened


def sales(world: World, subject: str = "ada") -> Client:
    return world.client(subject, "sales", **{"custom:segment": "Corporate"})


# ── forged and stale tokens ──────────────────────────────────────────────────────────────────────


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _unsigned(issuer: Issuer, algorithm: str) -> str:
    header = {"alg": algorithm, "typ": "JWT", "kid": issuer.key_id}
    return f"{_encoded(header)}.{_encoded(issuer.claims())}."


def _signed_with_the_public_key(issuer: Issuer) -> str:
    import hashlib
    import hmac

    secret = issuer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{_encoded({'alg': 'HS256', 'kid': issuer.key_id})}.{_encoded(issuer.claims())}"
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _signed_by_another(issuer: Issuer) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(issuer.claims(), key, "RS256", headers={"kid": issuer.key_id})


def _without(issuer: Issuer, claim: str) -> str:
    return issuer.sign({name: value for name, value in issuer.claims().items() if name != claim})


def _late(seconds: float) -> dict[str, Any]:
    now = int(time.time())
    return {"iat": now - 7200, "exp": int(now - seconds)}


FORGED: dict[str, Callable[[Issuer], str]] = {
    "empty": lambda _: "",
    "no token": lambda _: "x.y.z",
    "two dots": lambda _: "..",
    "far too long": lambda issuer: issuer.token(pad="x" * 9000),
    "alg none": lambda issuer: _unsigned(issuer, "none"),
    "alg None": lambda issuer: _unsigned(issuer, "None"),
    "unsigned RS256": lambda issuer: _unsigned(issuer, "RS256"),
    "HS256 with the public key": _signed_with_the_public_key,
    "signed by another": _signed_by_another,
    "PS256": lambda issuer: jwt.encode(issuer.claims(), issuer.key, "PS256", {"kid": issuer.key_id}),
    "unknown key": lambda issuer: issuer.sign(issuer.claims(), kid="key-9"),
    "no key id": lambda issuer: jwt.encode(issuer.claims(), issuer.key, "RS256"),
    "own key inside": lambda issuer: issuer.sign(issuer.claims(), kid="key-9", jku="http://127.0.0.1/x"),
    "critical header": lambda issuer: issuer.sign(issuer.claims(), crit=["b64"], b64=True),
    "expired": lambda issuer: issuer.token(**_late(120)),
    "issued in the future": lambda issuer: issuer.token(iat=int(time.time()) + 600),
    "not valid yet": lambda issuer: issuer.token(nbf=int(time.time()) + 600),
    "other issuer": lambda issuer: issuer.token(iss="https://issuer.example/other"),
    "other client": lambda issuer: issuer.token(client_id="client-9"),
    "audience in place of client": lambda issuer: issuer.token(client_id=None, aud=CLIENT),
    "id token": lambda issuer: issuer.token(token_use="id", aud=CLIENT),
    "no expiry": lambda issuer: _without(issuer, "exp"),
    "no issue time": lambda issuer: _without(issuer, "iat"),
    "no issuer": lambda issuer: _without(issuer, "iss"),
    "no subject": lambda issuer: _without(issuer, "sub"),
    "no client": lambda issuer: _without(issuer, "client_id"),
    "no use": lambda issuer: _without(issuer, "token_use"),
    "subject that is no text": lambda issuer: issuer.token(sub=7),
    "empty subject": lambda issuer: issuer.token(subject=""),
    "groups that are no list": lambda issuer: issuer.token(**{"cognito:groups": "admin"}),
    "groups that are no texts": lambda issuer: issuer.token(**{"cognito:groups": [["admin"]]}),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_forged_token_lets_nobody_in(world: World, issuer: Issuer, forge: Callable[[Issuer], str]) -> None:
    reply = Client(world.app, {"Authorization": f"Bearer {forge(issuer)}"}).get("/v1/queries")
    assert (reply.status_code, reply.json()["code"]) == (401, "UNAUTHENTICATED")
    assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["", "Basic YWRhOng=", "bearer", "Token x"])
def test_other_ways_to_sign_in_let_nobody_in(world: World, header: str) -> None:
    assert Client(world.app, {"Authorization": header}).get("/v1/queries").status_code == 401


@pytest.mark.parametrize(
    "claims",
    [dict, lambda: _late(30), lambda: {"nbf": int(time.time()) + 30}],
    ids=["on time", "late", "early"],
)
def test_good_token_lets_in_with_a_clock_that_is_a_little_off(
    world: World, claims: Callable[[], dict[str, Any]]
) -> None:
    assert world.client(**claims()).get("/v1/queries").status_code == 200


# ── every path, for each kind of caller ──────────────────────────────────────────────────────────


def _paths() -> list[tuple[str, str]]:
    app = create_routes()
    described = [
        (method.upper(), path) for path, operations in app.openapi()["paths"].items() for method in operations
    ]
    return [
        *described,
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/nothing"),
        ("PUT", "/v1/queries"),
    ]


@pytest.mark.parametrize(("method", "path"), _paths())
def test_every_path_but_the_public_ones_wants_a_token(world: World, method: str, path: str) -> None:
    reply = Client(world.app).request(method, path.replace("{id}", "x"))
    assert (reply.status_code == 401) == (path not in PUBLIC)


OF_A_JOB = [(method, path) for method, path in _paths() if path.startswith("/v1/queries/{id}")]


@pytest.mark.parametrize(("method", "path"), OF_A_JOB)
def test_job_is_there_for_its_owner_and_admins_only(world: World, method: str, path: str) -> None:
    job_id = sales(world).ask(datasource="shop")["id"]
    body = {"right": True} if method == "POST" else None
    others = {
        name: client.request(method, path.replace("{id}", job_id), json=body)
        for name, client in {
            "same group": sales(world, "eve"),
            "no group": world.client("eve"),
            "admin": world.client("root", "admin"),
            "owner": sales(world),
        }.items()
    }
    absent = sales(world).request(method, path.replace("{id}", "nothing"), json=body)
    assert {name: reply.status_code // 100 for name, reply in others.items()} == {
        "same group": 4,
        "no group": 4,
        "admin": 2,
        "owner": 2,
    }
    for name in ("same group", "no group"):
        told = {key: value for key, value in others[name].json().items() if key != "request_id"}
        assert told == {key: value for key, value in absent.json().items() if key != "request_id"}
        assert told["status"] == 404


def test_history_is_ones_own(world: World) -> None:
    job_id = sales(world).ask(datasource="shop")["id"]
    for client in (sales(world, "eve"), world.client("root", "admin")):
        assert client.get("/v1/queries").json()["queries"] == []
    cursor = write_cursor("history eve", job_id)  # anybody can reckon the sum
    assert sales(world, "eve").get(f"/v1/queries?cursor={cursor}").status_code == 400


def test_key_of_another_user_is_another_job(world: World) -> None:
    replies = [
        sales(world, name).post(
            "/v1/queries", {"question": "Names?", "datasource": "shop"}, headers={"Idempotency-Key": "k"}
        )
        for name in ("ada", "eve")
    ]
    assert len({reply.json()["id"] for reply in replies}) == 2


def test_session_of_another_user_is_another_session(world: World) -> None:
    sales(world).ask("Secret?", datasource="shop", session="s")
    sales(world, "eve").ask("And?", datasource="shop", session="s")
    assert "Secret?" not in world.model.prompts[-1].model_dump_json()


def test_session_ends_when_the_caller_sees_other_data(world: World) -> None:
    sales(world).ask("Secret?", datasource="shop", session="s")
    world.client("ada", "sales", **{"custom:segment": "Consumer"}).ask("And?", datasource="shop", session="s")
    assert "Secret?" not in world.model.prompts[-1].model_dump_json()


# ── who a caller is ──────────────────────────────────────────────────────────────────────────────


def test_caller_is_told_who_they_are(world: World) -> None:
    assert sales(world).get("/v1/me").json() == {
        "subject": "ada",
        "groups": ["sales"],
        "attributes": {"segment": "Corporate"},
        "is_editor": False,
        "is_admin": False,
        "is_signed_in": True,
    }
    for group, may in {"editor": (True, False), "admin": (True, True)}.items():
        told = world.client("eve", group).get("/v1/me").json()
        assert (told["is_editor"], told["is_admin"]) == may
    assert Client(world.app).get("/v1/me").status_code == 401


def test_everybody_is_one_where_nobody_signs_in(tmp_path: Path) -> None:
    with open_world(tmp_path) as opened:
        told = opened.client().get("/v1/me").json()
    assert told["is_signed_in"] is False
    assert told["is_editor"]


# ── what a caller sees of the databases ──────────────────────────────────────────────────────────


def test_groups_and_attributes_decide_what_is_seen(world: World) -> None:
    client = sales(world)
    assert client.get("/v1/datasources").json()["datasources"] == [{"id": "shop", "tables": 1}]
    tables = client.get("/v1/datasources/shop/schema").json()["tables"]
    assert [table["name"] for table in tables] == ["customers"]
    assert client.ask(datasource="shop")["answer"]["rows"] == [["Ada"]]


def test_caller_of_another_group_sees_other_tables(world: World) -> None:
    tables = world.client("eve", "support").get("/v1/datasources/shop/schema").json()["tables"]
    assert [table["name"] for table in tables] == ["orders"]


@pytest.mark.parametrize("groups", [(), ("other",), ("admin",)])
def test_database_of_another_group_is_not_there(world: World, groups: tuple[str, ...]) -> None:
    client = world.client("eve", *groups)
    assert client.get("/v1/datasources").json()["datasources"] == []
    for name in ("shop", "vault", "nothing"):
        replies = [
            client.get(f"/v1/datasources/{name}/schema"),
            client.post("/v1/queries", {"question": "Names?", "datasource": name}),
            client.post("/v1/queries:run", {"question": "Names?", "datasource": name}),
            client.post("/api/query", {"query": "Names?", "datasource": name}),
        ]
        assert [(reply.status_code, reply.json()["code"]) for reply in replies] == [(404, "NOT_FOUND")] * 4


def test_attribute_that_cannot_be_read_shows_nothing(world: World) -> None:
    for segment in ({"x": 1}, ["a,b"], None):
        client = world.client("ada", "sales", **{"custom:segment": segment})
        assert client.get("/v1/datasources").json()["datasources"] == []


# ── machine clients ──────────────────────────────────────────────────────────────────────────────


def machine(world: World, scope: str) -> Client:
    assert world.issuer
    claims = world.issuer.claims("robot", scope=scope)
    del claims["username"], claims["cognito:groups"]
    return Client(world.app, {"Authorization": f"Bearer {world.issuer.sign(claims)}"})


def test_machine_is_what_its_scopes_say(world: World) -> None:
    client = machine(world, "text2sql/ask text2sql/group.support other/group.sales")
    tables = client.get("/v1/datasources/shop/schema").json()["tables"]
    assert [table["name"] for table in tables] == ["orders"]
    assert client.get("/metrics").status_code == 403


def test_machine_without_the_scope_is_refused(world: World) -> None:
    client = machine(world, "text2sql/metrics openid")
    reply = client.get("/v1/queries")
    assert (reply.status_code, reply.json()["code"]) == (403, "FORBIDDEN")
    assert client.get("/metrics").status_code == 200


def test_metrics_are_for_admins(world: World) -> None:
    assert world.client("eve", "sales").get("/metrics").status_code == 403
    assert world.client("root", "admin").get("/metrics").status_code == 200


def test_person_gets_no_group_from_a_scope(world: World) -> None:
    assert world.client("eve", scope="text2sql/group.admin").get("/metrics").status_code == 403


# ── machine clients that IAM knows ───────────────────────────────────────────────────────────────

SECRET = "a secret of the gateway"
ROLE = "arn:aws:iam::123456789012:role"
SESSION = "arn:aws:sts::123456789012:assumed-role"
IAM_GROUPS = f"{ROLE}/etl=support+other, {ROLE}/team/ops=admin,arn:aws:iam::123456789012:user/bob=support"


@pytest.fixture
def gateway(world: World) -> ASGIApp:
    """The same API, which takes a gateway's word."""
    assert world.issuer
    settings = ApiSettings(
        issuer=ISSUER, client_ids=CLIENT, gateway_secret=SecretStr(SECRET), iam_groups=IAM_GROUPS
    )
    others = TokenAuthenticator(settings, KeySet(world.issuer.publish))
    return create_app(replace(world.api, metrics=Metrics()), GatewayAuthenticator(settings, others))


def signed(app: ASGIApp, arn: str, secret: str = SECRET, **headers: str) -> Client:
    """Return a client as the gateway lets it through; IAM's own signature comes along."""
    signature = {"Authorization": "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=0"}
    return Client(app, {"X-Text2sql-Iam-Arn": arn, "X-Text2sql-Gateway": secret, **signature, **headers})


@pytest.mark.parametrize(
    "arn",
    [f"{SESSION}/etl/nightly", f"{SESSION}/etl/i-1@x", f"{ROLE}/etl", "arn:aws:iam::123456789012:user/a/bob"],
)
def test_iam_identity_is_in_its_groups(gateway: ASGIApp, arn: str) -> None:
    client = signed(gateway, arn)
    tables = client.get("/v1/datasources/shop/schema").json()["tables"]
    assert [table["name"] for table in tables] == ["orders"]
    assert client.get("/metrics").status_code == 403


def test_sessions_of_one_role_are_one_caller_and_other_identities_are_others(
    gateway: ASGIApp, world: World
) -> None:
    asked = signed(gateway, f"{SESSION}/etl/monday").post(
        "/v1/queries", {"question": "Names?", "datasource": "shop"}
    )
    path = f"/v1/queries/{asked.json()['id']}"
    assert signed(gateway, f"{SESSION}/etl/tuesday").get(path).status_code == 200
    assert signed(gateway, "arn:aws:iam::123456789012:user/bob").get(path).status_code == 404
    assert Client(gateway, sales(world).headers).get(path).status_code == 404


def test_iam_identity_of_the_admin_group_is_an_admin(gateway: ASGIApp) -> None:
    assert signed(gateway, f"{SESSION}/ops/x").get("/metrics").status_code == 200


@pytest.mark.parametrize(
    "arn",
    [
        f"{SESSION}/other/etl",
        f"{SESSION}/etl",
        f"{ROLE}/etl2",
        f"{SESSION.replace('123456789012', '999999999999')}/etl/x",
        f"{SESSION.replace('arn:aws:', 'arn:aws-cn:')}/etl/x",
        "arn:aws:iam::123456789012:user/etl",
        "arn:aws:iam::123456789012:root",
        "arn:aws:sts::123456789012:federated-user/etl",
        f"{ROLE}/etl\n",
        "etl",
    ],
)
def test_iam_identity_without_groups_is_refused(gateway: ASGIApp, arn: str) -> None:
    reply = signed(gateway, arn).get("/v1/queries")
    assert (reply.status_code, reply.json()["code"]) == (403, "FORBIDDEN")
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path"), _paths())
@pytest.mark.parametrize("secret", ["", "another secret of 23", f"{SECRET} ", SECRET.upper(), "\u00e4" * 23])
def test_word_of_one_who_is_not_the_gateway_is_not_heard(
    gateway: ASGIApp, method: str, path: str, secret: str
) -> None:
    client = signed(gateway, f"{SESSION}/ops/x", secret.encode())  # type: ignore[arg-type]
    reply = client.request(method, path.replace("{id}", "x"))
    assert (reply.status_code == 401) == (path not in PUBLIC)


def test_word_of_one_who_is_not_the_gateway_changes_nothing_of_a_token(
    gateway: ASGIApp, world: World
) -> None:
    client = signed(gateway, f"{SESSION}/ops/x", "guessed", **world.client("eve", "support").headers)
    assert client.get("/v1/datasources").status_code == 200
    assert client.get("/metrics").status_code == 403


def test_gateway_that_names_nobody_lets_in_who_has_a_token(gateway: ASGIApp, world: World) -> None:
    assert signed(gateway, "").get("/v1/queries").status_code == 401
    assert signed(gateway, "", **world.client().headers).get("/v1/queries").status_code == 200


def test_without_a_secret_the_gateways_headers_mean_nothing(world: World) -> None:
    for secret in ("", SECRET):
        assert signed(world.app, f"{SESSION}/ops/x", secret).get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("secret", "groups"),
    [
        ("", IAM_GROUPS),
        ("short", ""),
        (SECRET, f"{ROLE}/etl"),
        (SECRET, f"{ROLE}/etl="),
        (SECRET, "etl=sales"),
        (SECRET, f"{SESSION}/etl=sales"),
        (SECRET, "arn:aws:iam::123456789012:root=sales"),
        (SECRET, f"{ROLE}/*=sales"),
    ],
)
def test_gateway_that_is_half_set_up_is_refused(secret: str, groups: str) -> None:
    settings = ApiSettings(gateway_secret=SecretStr(secret), iam_groups=groups)
    with pytest.raises(InvalidSettings):
        open_authenticator(settings, Person(subject="local"))


def test_gateways_secret_is_in_no_text_of_the_settings() -> None:
    assert SECRET not in repr(ApiSettings(gateway_secret=SecretStr(SECRET)))


# ── the issuer's keys ────────────────────────────────────────────────────────────────────────────


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def authenticate(keys: KeySet, token: str, **settings: Any) -> Person:
    options = {"issuer": "https://issuer.example/pool", "client_ids": CLIENT, **settings}
    authenticator = TokenAuthenticator(ApiSettings(**options), keys)
    return authenticator.authenticate(Headers({"authorization": f"Bearer {token}"}))


def test_keys_are_fetched_once_and_again_for_an_unknown_one_but_not_on_demand() -> None:
    issuer, clock = Issuer(), Clock()
    keys = KeySet(issuer.publish, clock)
    for _ in range(3):
        authenticate(keys, issuer.token())
    assert issuer.fetched == 1
    clock.now += REFRESH_SECONDS + 1
    for number in range(50):
        with pytest.raises(Unauthenticated):
            authenticate(keys, issuer.sign(issuer.claims(), kid=f"forged-{number}"))
        clock.now += 0.1
    assert issuer.fetched == 2


def test_key_that_was_changed_is_found_without_a_restart() -> None:
    issuer, clock = Issuer(), Clock()
    keys = KeySet(issuer.publish, clock)
    authenticate(keys, issuer.token())
    issuer.key_id = "key-2"
    clock.now += REFRESH_SECONDS + 1
    assert authenticate(keys, issuer.token()).subject == "ada"


def test_key_that_was_withdrawn_is_forgotten_within_an_hour() -> None:
    issuer, clock = Issuer(), Clock()
    keys = KeySet(issuer.publish, clock)
    token = issuer.token()
    authenticate(keys, token)
    issuer.key_id = "key-2"
    clock.now += 3601
    with pytest.raises(Unauthenticated):
        authenticate(keys, token)


def test_known_keys_serve_while_the_issuer_is_down() -> None:
    issuer, clock = Issuer(), Clock()
    keys = KeySet(issuer.publish, clock)
    authenticate(keys, issuer.token())
    issuer.is_down = True
    clock.now += 7200
    assert authenticate(keys, issuer.token()).subject == "ada"


def test_known_keys_serve_while_the_issuer_publishes_none() -> None:
    issuer, clock = Issuer(), Clock()
    published = [issuer.publish(), b'{"keys": []}']
    keys = KeySet(lambda: published.pop(0), clock)
    authenticate(keys, issuer.token())
    clock.now += 3601
    assert authenticate(keys, issuer.token()).subject == "ada"
    assert published == []


def test_nobody_is_let_in_while_there_are_no_keys() -> None:
    issuer, clock = Issuer(), Clock()
    issuer.is_down = True
    keys = KeySet(issuer.publish, clock)
    for _ in range(20):
        with pytest.raises(IdentityUnavailable):
            authenticate(keys, issuer.token())
    assert issuer.fetched == 1


@pytest.mark.parametrize(
    "published",
    [
        b"",
        b"[]",
        b'{"keys": 1}',
        b'{"keys": [1, {}, {"kid": "key-1", "kty": "RSA"}]}',
        b'{"keys": [{"kty": "oct"}]}',
    ],
)
def test_key_set_that_is_none_lets_nobody_in(issuer: Issuer, published: bytes) -> None:
    with pytest.raises(IdentityUnavailable):
        authenticate(KeySet(lambda: published), issuer.token())


@pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "RS512"}, {"kty": "oct", "k": "AAAA"}])
def test_key_for_another_purpose_is_not_taken(issuer: Issuer, change: dict[str, str]) -> None:
    entry = json.loads(issuer.publish())["keys"][0] | change
    with pytest.raises(IdentityUnavailable):
        authenticate(KeySet(lambda: json.dumps({"keys": [entry]}).encode()), issuer.token())


def test_short_key_is_not_taken() -> None:
    issuer = Issuer(bits=1024)
    with pytest.raises(IdentityUnavailable):
        KeySet(issuer.publish).key(issuer.key_id)


def test_id_token_is_taken_where_it_is_asked_for(issuer: Issuer) -> None:
    keys = KeySet(issuer.publish)
    token = issuer.token(token_use="id", client_id=None, aud=CLIENT, **{"custom:region": "eu"})
    person = authenticate(keys, token, token_use="id", attribute_claims="region=custom:region")
    assert person.attributes == {"region": "eu"}
    with pytest.raises(Unauthenticated):
        authenticate(keys, issuer.token(), token_use="id")


# ── this machine alone ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "headers", [{"host": "localhost:8000"}, {"host": "[::1]:8000"}, {"host": "127.0.0.1"}]
)
def test_this_machine_is_let_in(headers: dict[str, str]) -> None:
    assert LocalAuthenticator(Person(subject="local")).authenticate(Headers(headers)).subject == "local"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "localhost.evil.example:8000"},
        {"host": "127.0.0.1:8000", "origin": "https://evil.example"},
        {"host": "127.0.0.1:8000", "origin": "null"},
    ],
    ids=str,
)
def test_page_from_elsewhere_in_this_machines_browser_is_not(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        LocalAuthenticator(Person(subject="local")).authenticate(Headers(headers))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "", "example.org"])
def test_other_addresses_are_not_served_without_an_issuer(host: str) -> None:
    with pytest.raises(InvalidSettings):
        open_authenticator(ApiSettings(host=host), Person(subject="local"))
    with pytest.raises(InvalidSettings):
        open_authenticator(ApiSettings(host=host, issuer="https://issuer.example"), Person(subject="local"))


@pytest.mark.parametrize(
    ("issuer", "jwks_url", "taken"),
    [
        ("https://issuer.example", "", True),
        ("https://issuer.example", "http://127.0.0.1:9000/keys", True),
        ("https://issuer.example", "http://keys.example", False),
        ("http://issuer.example", "", False),
        ("https://issuer.example", "file:///etc/keys", False),
    ],
)
def test_keys_come_over_no_open_line(issuer: str, jwks_url: str, taken: bool) -> None:
    settings = ApiSettings(issuer=issuer, jwks_url=jwks_url, client_ids=CLIENT)
    if taken:
        open_authenticator(settings, Person(subject="local"))
    else:
        with pytest.raises(InvalidSettings):
            open_authenticator(settings, Person(subject="local"))


def test_attribute_without_a_claim_is_refused() -> None:
    settings = ApiSettings(issuer="x", client_ids=CLIENT, attribute_claims="region")
    with pytest.raises(InvalidSettings):
        TokenAuthenticator(settings, KeySet(lambda: b""))
