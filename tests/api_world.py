"""The API with all its real parts but the model, in this process and without a socket, for tests."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import Event, Lock
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.types import ASGIApp

from small_shop import write_small_shop
from text2sql.documents.library import DocumentLibrary
from text2sql.execution.port import QueryLimits
from text2sql.execution.sqlite import SqliteDatabase
from text2sql.generation.port import Completion, Prompt
from text2sql.guardrail.local import LocalGuardrail
from text2sql.jobs.sqlite import SqliteJobStore
from text2sql.messages import Usage
from text2sql.pipeline import Services
from text2sql.retrieval.local import LocalKnowledgeBase
from text2sql.validation.policy.load import load_policy
from text2sql_api.auth import Authenticator, LocalAuthenticator, TokenAuthenticator
from text2sql_api.dependencies import Api
from text2sql_api.identity import Person
from text2sql_api.keys import KeySet
from text2sql_api.main import create_app
from text2sql_api.metrics import Metrics
from text2sql_api.settings import ApiSettings
from text2sql_api.workflow.in_process import InProcessWorkflow
from text2sql_api.workflow.step_functions import StepFunctionsWorkflow

GOOD = "```sql\nSELECT name FROM customers ORDER BY customer_id\n```"
ISSUER = "https://issuer.example/pool"
CLIENT = "client-1"
SLOW = "SELECT COUNT(*) FROM " + ", ".join(f"orders AS o{number}" for number in range(30))


class SteadyModel:
    """Says the same to every prompt; while `hold` is not set, it says nothing."""

    def __init__(self, text: str | Callable[[Prompt], str] = GOOD) -> None:
        self.text = text
        self.prompts: list[Prompt] = []
        self.hold = Event()
        self.hold.set()
        self._lock = Lock()

    def complete(self, prompt: Prompt) -> Completion:
        with self._lock:
            self.prompts.append(prompt)
        assert self.hold.wait(30)
        text = self.text if isinstance(self.text, str) else self.text(prompt)
        return Completion(text=text, finish="stop", usage=Usage(prompt_tokens=100, completion_tokens=10))


class Issuer:
    """Signs tokens, and publishes its keys."""

    def __init__(self, bits: int = 2048) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        self.key_id = "key-1"
        self.fetched = 0
        self.is_down = False

    def publish(self) -> bytes:
        self.fetched += 1
        if self.is_down:
            raise OSError
        entry = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return json.dumps({"keys": [{**entry, "kid": self.key_id, "use": "sig", "alg": "RS256"}]}).encode()

    def claims(self, subject: str = "ada", *groups: str, **claims: Any) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": ISSUER,
            "sub": subject,
            "username": subject,
            "client_id": CLIENT,
            "token_use": "access",
            "iat": now,
            "exp": now + 600,
            "cognito:groups": list(groups),
            **claims,
        }

    def sign(self, claims: Mapping[str, Any], **headers: Any) -> str:
        return jwt.encode(dict(claims), self.key, "RS256", headers={"kid": self.key_id, **headers})

    def token(self, subject: str = "ada", *groups: str, **claims: Any) -> str:
        return self.sign(self.claims(subject, *groups, **claims))


@dataclass
class Client:
    """Sends requests to the app, one after the other."""

    app: ASGIApp
    headers: dict[str, str] = field(default_factory=dict)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                headers = {**self.headers, **options.pop("headers", {})}
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self.request("POST", path, json=body, **options)

    def delete(self, path: str) -> httpx.Response:
        return self.request("DELETE", path)

    def ask(self, question: str = "What are the customers called?", **fields: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        reply = self.post("/v1/queries:run", {"question": question, **fields})
        assert reply.status_code == 200, reply.text
        body: dict[str, Any] = reply.json()
        return body

    def wait_for(self, job_id: str, status: str) -> dict[str, Any]:
        for _ in range(500):
            body: dict[str, Any] = self.get(f"/v1/queries/{job_id}").json()
            if body["status"] == status:
                return body
            time.sleep(0.01)
        raise AssertionError(f"the job is still {body['status']}")


@dataclass
class World:
    """What a test looks at and turns."""

    app: ASGIApp
    store: SqliteJobStore
    workflow: InProcessWorkflow | StepFunctionsWorkflow
    model: SteadyModel
    api: Api
    issuer: Issuer | None

    def client(self, subject: str = "ada", *groups: str, **claims: Any) -> Client:
        """Return a client with a token, or without one where nobody signs any."""
        if self.issuer is None:
            return Client(self.app)
        token = self.issuer.token(subject, *groups, **claims)
        return Client(self.app, {"Authorization": f"Bearer {token}"})


def shop_services(path: Path, model: SteadyModel, policy: Path | None = None) -> Services:
    if not path.exists():
        write_small_shop(path)
    database = SqliteDatabase(path)
    catalog = database.read_catalog()
    return Services(
        guardrail=LocalGuardrail(4000),
        knowledge_base=LocalKnowledgeBase(()),
        model=model,
        database=database,
        catalog=lambda: catalog,
        today=date(2025, 6, 1),
        limits=QueryLimits(join_rows=10**30),
        policy=(lambda catalog: load_policy(policy, catalog)) if policy else None,
    )


@contextmanager
def open_world(
    folder: Path,
    *,
    issuer: Issuer | None = None,
    datasources: Mapping[str, Services] | None = None,
    libraries: Mapping[str, DocumentLibrary] | None = None,
    model: SteadyModel | None = None,
    workflow: Callable[[SqliteJobStore], StepFunctionsWorkflow] | None = None,
    **settings: Any,
) -> Iterator[World]:
    """Lend an API over the small shop; what it keeps in `folder` is there for the next one."""
    options = {"issuer": ISSUER, "client_ids": CLIENT} if issuer else {}
    api_settings = ApiSettings(**{**options, **settings})
    model = model or SteadyModel()
    datasources = datasources or {"shop": shop_services(folder / "shop.db", model)}
    store = SqliteJobStore(folder / "jobs.sqlite")
    metrics = Metrics()
    works: InProcessWorkflow | StepFunctionsWorkflow = InProcessWorkflow(
        store=store,
        services=datasources,
        metrics=metrics,
        lock_file=folder / "jobs.lock",
        workers=api_settings.workers,
        session_seconds=api_settings.session_seconds,
    )
    if workflow:
        works = workflow(store)
    local = Person(subject="local", is_editor=True, may_measure=True)
    authenticator: Authenticator = LocalAuthenticator(local)
    if issuer:
        authenticator = TokenAuthenticator(api_settings, KeySet(issuer.publish))
    api = Api(
        settings=api_settings,
        jobs=store,
        workflow=works,
        datasources=datasources,
        libraries=libraries or {},
        metrics=metrics,
    )
    try:
        works.open()
        yield World(create_app(api, authenticator), store, works, model, api, issuer)
    finally:
        model.hold.set()
        works.close()
        store.close()
