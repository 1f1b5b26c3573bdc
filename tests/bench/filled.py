"""A database in which many tickets are already, each as a mail has left it."""

from datetime import UTC, datetime

from tests.bench.stage import connect

_FILL = (
    """insert into person (id, name, language, created_at) overriding system value
       select n, 'Client ' || n, 'ru', $1 from generate_series(1, $2::int) n""",
    """insert into identity (id, person_id, desk, channel, address, created_at) overriding system value
       select n, n, 'prodata', 'email', 'client' || n || '@firma' || n % 97 || '.example', $1
       from generate_series(1, $2::int) n""",
    """insert into ticket (id, desk, reference, queue, requester_id, channel, answers_to, request_type, priority,
                           status, subject, group_id, opened_at, updated_at) overriding system value
       select n, 'prodata', 'PD-0' || n, 'support', n, 'email', n, 'other', 'normal', 'open', 'Не открывается кабинет',
              1, $1, $1
       from generate_series(1, $2::int) n""",
    "insert into sla_terms values ('filled', '{}')",
    """insert into sla_target (ticket_id, metric, round, terms_hash, started_at, budget, due_at, stage, met_at)
       select n, metric, 1, 'filled', $1, 86400, $1, 0, $1
       from generate_series(1, $2::int) n, unnest(array['first_response', 'resolution']) metric""",
    """insert into message (id, desk, ticket_id, requester_id, kind, author_kind, author_id, author_name, channel,
                            content, sent_at) overriding system value
       select n, 'prodata', n, n, 'public', 'requester', n, 'Client ' || n, 'email',
              jsonb_build_object('type', 'text', 'text', repeat('Не открывается кабинет. ', 10)), $1
       from generate_series(1, $2::int) n""",
    """insert into ticket_event (ticket_id, at, actor_kind, actor_id, actor_name, channel, kind, data)
       select n, $1, 'requester', n, 'Client ' || n, 'email', 'opened', '{}' from generate_series(1, $2::int) n""",
    """insert into inbox (source, external_key, lane, payload, received_at, due_at, state, attempts, settled_at,
                          disposition)
       select 'mail:prodata:support', encode(sha256(n::text::bytea), 'hex'),
              'mail:prodata:' || left(encode(sha256(n::text::bytea), 'hex'), 32), repeat('mail ', 200)::bytea, $1, $1,
              'done', 1, $1, 'opened' from generate_series(1, $2::int) n""",
    """insert into mail_seen select gen_random_uuid() from generate_series(1, $2::int), (select $1::timestamptz) t""",
    """insert into outbox (desk, channel, bucket, lane, kind, payload, ticket_id, message_id, priority, state, attempts,
                           due_at, created_at, settled_at)
       select 'prodata', 'telegram', 'prodata:group:1', 'ticket:' || n, kind, '{"to": "topic"}', n, n, 2, 'sent', 1,
              $1, $1, $1
       from generate_series(1, $2::int) n, unnest(array['topic.open', 'card', 'relay', 'say']) kind""",
    """insert into mail_message (desk, direction, message_id, digest, address, subject, nature, verified, ticket_id,
                                 message_ref, body, at)
       select 'prodata', 'in', 'old.' || n || '@firma' || n % 97 || '.example', sha256(n::text::bytea),
              'client' || n || '@firma' || n % 97 || '.example', 'Не открывается кабинет', 'request', false, n, n,
              repeat('Не открывается кабинет. ', 20), $1
       from generate_series(1, $2::int) n""",
    """select setval(pg_get_serial_sequence(name, 'id'), $2::int), $1::timestamptz
       from unnest(array['person', 'identity', 'ticket', 'message']) name""",
)  # fmt: skip


async def fill(database: str, tickets: int) -> None:
    """With `old.1` to the last as what their first mails are called, from the senders of these numbers."""
    connection, now = await connect(database), datetime.now(UTC)
    for statement in _FILL:
        await connection.execute(statement, *((now, tickets) if "$2" in statement else ()))
    await connection.execute("vacuum analyze")
    await connection.close()
