"""From drafts to messages: keys, authors and the plain facts that the place in a chat decides."""

from __future__ import annotations

from dataclasses import replace

from whatsapp_etl.simulator import bodies
from whatsapp_etl.simulator.bodies import Draft, Scene
from whatsapp_etl.simulator.world import Message, World


def compose(scene: Scene, draft: Draft, t: int, speaker: str) -> Message:
    """Turn a draft into a message of the scene's chat, sent by `speaker`."""
    chat, random = scene.chat, scene.random
    stanza = bodies.stanza_id(random, draft.type)
    is_notice = bodies.is_notice(draft)
    from_me = speaker == scene.world.me.id and not is_notice
    names_author = chat.kind in {"group", "status"} and draft.type != "e2e_notification"
    author = None if draft.type == "e2e_notification" else speaker
    if from_me and chat.kind == "group" and scene.world.me.lid in scene.world.groups[chat.id].participant_ids:
        author = scene.world.me.lid
    expires_at = t + chat.ephemeral_seconds if chat.ephemeral_seconds and not is_notice else None
    edit_key = bodies.fresh_key(random, chat.id, from_me=from_me) if draft.is_edited else None
    return Message(
        chat_id=chat.id,
        stanza_id=stanza,
        from_me=from_me,
        author_id=author,
        t=t,
        type=draft.type,
        body=draft.body,
        subtype=draft.subtype,
        media=draft.media,
        has_participant=names_author,
        ack=_ack(random.choice((2, 3, 3)), stanza) if from_me else 1,
        forwarding_score=draft.forwarding_score,
        edit_key=edit_key,
        edited_at=t + 40 * max(1, len(draft.earlier_texts)) if edit_key else None,
        revoked_at=t + 50 if draft.type == "revoked" else None,
        revoked_by=_revoker(scene, draft, author),
        earlier_texts=draft.earlier_texts,
        mention_ids=draft.mention_ids,
        quoted_stanza=draft.quoted_stanza,
        quoted_author=draft.quoted_author,
        marks=draft.marks,
        expires_at=expires_at,
    )


def quote(world: World, message: Message, answered: Message) -> Message:
    """Make a message an answer to another one of the same chat."""
    body = {**message.body, "quoted": bodies.quoted_body(world, answered)}
    author = answered.author_id or answered.chat_id
    return replace(message, body=body, quoted_stanza=answered.stanza_id, quoted_author=author)


def _revoker(scene: Scene, draft: Draft, author: str | None) -> str | None:
    if draft.type != "revoked":
        return None
    if draft.body["by"] == "sender":
        return author
    return scene.world.groups[scene.chat.id].admin_ids[0] if draft.body["admin_name"] else None


def _ack(usual: int, stanza: str) -> int:
    """Return how far an own message came: some only to the server, the most to a phone or a reader."""
    return 1 if stanza.endswith("0") else usual
