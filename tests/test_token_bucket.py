"""A burst, and then one at a time."""

from applet.token_bucket import TokenBucket


def test_a_burst_is_let_through_and_then_one_at_a_time() -> None:
    bucket = TokenBucket(3, 10.0)
    assert [bucket.take(100.0) for _ in range(5)] == [True, True, True, False, False]
    assert bucket.next() == 110.0
    assert [bucket.take(now) for now in (109.9, 110.0, 110.1, 119.9, 120.0)] == [
        False,
        True,
        False,
        False,
        True,
    ]


def test_what_was_taken_comes_back_with_time_and_no_more_than_that() -> None:
    bucket = TokenBucket(2, 10.0)
    assert [bucket.take(0.0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1000.0) for _ in range(3)] == [True, True, False]
