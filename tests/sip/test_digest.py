"""Digest: RFC 7616, RFC 8760, and RFC 2617 for servers without qop."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from applet.sip.digest import (
    Authorizer,
    Challenge,
    Credentials,
    authorize,
    choose,
    digest_response,
    parse_auth,
    parse_challenge,
    parse_challenges,
)
from applet.sip.grammar import LocalProtocolError, MessageError

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "digest_vectors.json").read_text())
ALICE = Credentials("alice", "secret")


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['rfc']} {v['algorithm']}")
def test_the_examples_of_the_rfcs_come_out(vector: dict[str, Any]) -> None:
    challenge = Challenge(vector["realm"], vector["nonce"], vector["algorithm"], (vector["qop"],))
    response = digest_response(
        challenge,
        Credentials(vector["user"], vector["password"]),
        vector["method"],
        vector["uri"],
        b"",
        int(vector["nc"], 16),
        vector["cnonce"],
    )
    assert response == vector["response"]


def test_a_challenge_is_read() -> None:
    assert parse_challenge(
        'Digest realm="a \\"b\\", c", nonce="n=,;", opaque="", algorithm=SHA-256-sess, '
        'qop="auth, Auth-Int,new", stale=TRUE, domain="sip:x", charset=UTF-8'
    ) == Challenge('a \\"b\\", c', "n=,;", "SHA-256-sess", ("auth", "auth-int", "new"), "", True)


def test_quotes_and_case_and_spaces_do_not_matter() -> None:
    assert parse_challenge('DIGEST  ,REALM = r ,, Nonce=n== , qop=auth,stale="true",') == (
        Challenge("r", "n==", None, ("auth",), None, True)
    )
    assert parse_challenge('Digest realm="", nonce="n"').stale is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Digest",
        "Digest ",
        'Digest realm="r"',
        'Digest nonce="n"',
        'Digest realm="r", nonce=""',
        'Digest realm="r", nonce="n", realm="s"',
        'Digest realm="r" nonce="n"',
        'Digest realm="r, nonce="n"',
        'Digest realm="r", nonce',
        'Digest realm="r", nonce=',
        'Basic realm="r"',
        "Negotiate abcd==",
        '"Digest" realm="r", nonce="n"',
    ],
)
def test_a_bad_challenge_is_refused(text: str) -> None:
    with pytest.raises(MessageError):
        parse_challenge(text)


def test_any_scheme_can_be_taken_apart() -> None:
    assert parse_auth('NoOneKnowsThisScheme opaque-data=here, x="a\\"b"') == (
        "nooneknowsthisscheme",
        {"opaque-data": "here", "x": 'a\\"b'},
    )


def test_the_topmost_challenge_that_we_know_is_chosen() -> None:
    challenges = parse_challenges(
        [
            'Basic realm="r"',
            "noise",
            'Digest realm="r", nonce="1", algorithm=SHA-512-256, qop="auth"',
            'Digest realm="r", nonce="2", algorithm=SHA-256, qop="new"',
            'Digest realm="r", nonce="3", algorithm=sha-256, qop="auth"',
            'Digest realm="r", nonce="4", algorithm=MD5, qop="auth"',
        ]
    )
    assert [challenge.nonce for challenge in challenges] == ["1", "2", "3", "4"]
    chosen = choose(challenges)
    assert chosen is not None
    assert chosen.nonce == "3"
    assert choose(challenges[:2]) is None


def test_qop_auth_is_preferred_to_auth_int() -> None:
    assert Challenge("r", "n", qop=("auth-int", "auth")).chosen_qop == "auth"
    assert Challenge("r", "n", qop=("auth-int",)).chosen_qop == "auth-int"
    assert Challenge("r", "n").chosen_qop is None


def test_without_qop_the_answer_is_that_of_rfc_2617() -> None:
    challenge = parse_challenge('Digest realm="r", nonce="n"')
    expected = md5(f"{md5('alice:r:secret')}:n:{md5('REGISTER:sip:h')}")
    assert authorize(challenge, ALICE, "REGISTER", "sip:h", b"", 1, "c") == (
        f'Digest username="alice", realm="r", nonce="n", uri="sip:h", response="{expected}"'
    )


def test_with_qop_auth_count_and_cnonce_go_along() -> None:
    challenge = parse_challenge(
        'Digest realm="r", nonce="n", algorithm=SHA-256, opaque="o", qop="auth,auth-int"'
    )
    expected = sha256(f"{sha256('alice:r:secret')}:n:0000001a:c:auth:{sha256('INVITE:sip:h')}")
    assert authorize(challenge, ALICE, "INVITE", "sip:h", b"body", 26, "c") == (
        f'Digest username="alice", realm="r", nonce="n", uri="sip:h", response="{expected}", '
        'algorithm=SHA-256, opaque="o", cnonce="c", qop=auth, nc=0000001a'
    )


def test_auth_int_covers_the_body_where_it_is_all_that_is_offered() -> None:
    challenge = parse_challenge('Digest realm="r", nonce="n", qop="auth-int"')
    expected = md5(
        f"{md5('alice:r:secret')}:n:00000001:c:auth-int:{md5('INVITE:sip:h:' + md5('body'))}"
    )
    assert f'response="{expected}"' in authorize(
        challenge, ALICE, "INVITE", "sip:h", b"body", 1, "c"
    )


@pytest.mark.parametrize(("algorithm", "hashed"), [("MD5-sess", md5), ("SHA-256-SESS", sha256)])
def test_session_algorithms_bind_the_password_to_the_nonce(algorithm: str, hashed: Any) -> None:
    challenge = Challenge("r", "n", algorithm, ("auth",))
    a1 = hashed(f"{hashed('alice:r:secret')}:n:c")
    expected = hashed(f"{a1}:n:00000001:c:auth:{hashed('BYE:sip:h')}")
    assert digest_response(challenge, ALICE, "BYE", "sip:h", b"", 1, "c") == expected


def test_a_session_algorithm_without_qop_still_tells_the_cnonce() -> None:
    value = authorize(Challenge("r", "n", "MD5-sess"), ALICE, "BYE", "sip:h", b"", 1, "c")
    assert value.endswith('algorithm=MD5-sess, cnonce="c"')


def test_each_use_of_a_nonce_is_counted() -> None:
    authorizer = Authorizer(Challenge("r", "n", qop=("auth",)), ALICE, "c")
    for count in ("00000001", "00000002", "00000003"):
        value = authorizer.authorize("INVITE", "sip:h", b"")
        assert value.endswith(f'cnonce="c", qop=auth, nc={count}')
    assert value == authorize(authorizer.challenge, ALICE, "INVITE", "sip:h", b"", 3, "c")


def test_texts_of_the_challenge_go_back_as_they_came() -> None:
    challenge = parse_challenge('Digest realm="a \\"b\\"", nonce="n\\\\", opaque="\\o"')
    value = authorize(challenge, Credentials('q"u', "ü"), "BYE", "sip:h", b"", 1, "c")
    assert 'username="q\\"u", realm="a \\"b\\"", nonce="n\\\\"' in value
    assert value.endswith('opaque="\\o"')
    a1, a2 = 'q"u:a \\"b\\":ü', "BYE:sip:h"
    expected = md5(f"{md5(a1)}:n\\\\:{md5(a2)}")
    assert parse_auth(value)[1]["response"] == expected


def test_answering_an_unknown_algorithm_is_our_own_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        digest_response(Challenge("r", "n", "SHA-3"), ALICE, "BYE", "sip:h", b"", 1, "c")


def test_a_password_is_not_shown_by_accident() -> None:
    assert "secret" not in f"{ALICE} {ALICE!r} {[ALICE]}"


@pytest.mark.parametrize("part", ['a="', ",", " ", 'a="\\"', "a=b,", "a=b ", 'a="",', "a"])
def test_no_challenge_takes_long_to_read(part: str) -> None:
    with pytest.raises(MessageError):
        parse_challenge("Digest " + part * 20_000 + "=")
