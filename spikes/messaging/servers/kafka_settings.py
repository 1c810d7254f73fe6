"""Kafka's settings, the same on every target, so that targets differ in nothing else."""

from __future__ import annotations

PAUSED_SESSION_MS = 86_400_000
"""Long, because the broker is taken off the processor between trials."""

DEFAULT_SESSION_MS = 9_000
"""Kafka's own, for a broker that is killed: until it is over, another start of it is refused."""

# Socket buffers
# are the system's: Kafka's own 100 KB hold less than two of loopback's 64 KB segments, and larger
# requests then wait for TCP's timers, 200 ms or more at a time.
CONFIGURATION = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://{listen}:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms={session_ms}
auto.create.topics.enable=false
socket.send.buffer.bytes=-1
socket.receive.buffer.bytes=-1
"""

LOGGING = """\
Configuration:
  Appenders:
    Console:
      name: STDOUT
      PatternLayout:
        pattern: "[%d] %p %m (%c)%n"
  Loggers:
    Root:
      level: WARN
      AppenderRef:
        - ref: STDOUT
"""

# The heap is fixed so that a machine's size does not change the result; the collector is the one
# that Kafka's own scripts ask for, which a single core would otherwise not get.
JVM = ("-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Djava.awt.headless=true")
