"""The package of a runtime and handler: what it is for, whether there is one, and its making."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spikebench.target.cache import Cache
from spikebench.target.software import Say
from spikes.serverless.builders import BUILDERS
from spikes.serverless.function import Build
from spikes.serverless.java.builder import JavaBuilder
from spikes.serverless.java.package import SOURCES, make_package
from spikes.serverless.sandbox.pack import pack, pack_jars
from spikes.serverless.sandbox.upload import OS_ONLY, Upload, withheld
from spikes.serverless.scenario import ColdStart

NOT_OURS = (
    "whether a package's files are in a cache of the service is not ours to choose: see page_cache "
    "warm"
)


@dataclass(frozen=True)
class Packaged:
    """A candidate's package of a handler; it is the same for every lever that there is."""

    candidate: str
    handler: str

    def withheld(self) -> str:
        """Say why there is no such package; empty where it can be tried."""
        builder = BUILDERS[self.candidate]
        if isinstance(builder, JavaBuilder):  # jars are neither for this machine nor its JVM
            return builder.withheld_handler(self.handler)
        return builder.withheld(Build(self.handler))

    def make(self, folder: Path, cache: Cache, say: Say) -> Upload:
        """Build what is missing in the cache, and write the zip file below ``folder``.

        Raises ArtefactError for a download that failed, TargetError for a build that did, or where
        Lambda would not take the package.
        """
        path = folder / f"{self.candidate}-{self.handler}.zip"
        builder = BUILDERS[self.candidate]
        if isinstance(builder, JavaBuilder):
            source = SOURCES[self.handler]
            package = make_package(source, cache, say)
            jars = (package.jar, *package.libraries)
            upload = pack_jars(jars, f"java{builder.major}", source.class_name, path)
        else:
            upload = pack(builder.build(Build(self.handler), cache, say), path)
        return upload.checked()


def withheld_in_sandbox(candidate: str, scenario: ColdStart) -> str:
    """Say why a cell can't be measured in a sandbox; empty where it can."""
    if scenario.page_cache == "dropped":
        return NOT_OURS
    builder = BUILDERS[candidate]
    runtime = f"java{builder.major}" if isinstance(builder, JavaBuilder) else OS_ONLY
    return Packaged(candidate, scenario.handler).withheld() or withheld(runtime, scenario.lever)
