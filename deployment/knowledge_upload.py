"""Puts a knowledge folder into the bucket that the functions read."""

from pathlib import Path
from typing import Any

from programs import DeploymentFailed
from text2sql.datasource.knowledge import load_knowledge
from text2sql.datasource.knowledge_bucket import FILES
from text2sql.datasource.policy.file import read_policy_file
from text2sql.documents.bucket import PREFIX
from text2sql.errors import Text2SqlError


def check_knowledge(folder: Path) -> None:
    """Make sure that the files follow their formats; what they say of tables the database alone can judge.

    Raises:
        DeploymentFailed: they do not, or there is no policy, without which no question is answered.
    """
    try:
        load_knowledge(folder)
        read_policy_file(folder / "policy.yaml")
    except Text2SqlError as error:
        raise DeploymentFailed(f"{error.message} {error.remedy}") from error


def upload_knowledge(folder: Path, bucket: str, storage: Any) -> list[str]:
    """Upload the files that the functions read, the policy first, and the documents; return their keys.

    What is in the bucket alone stays there: people may have sent it.
    """
    files = {name: folder / name for name in FILES if (folder / name).is_file()}
    documents = sorted(path for path in (folder / PREFIX).glob("*") if path.is_file() and path.name[0] != ".")
    files |= {f"{PREFIX}{path.name}": path for path in documents}
    for key, path in files.items():
        storage.upload_file(str(path), bucket, key)
    return list(files)
