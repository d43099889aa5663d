"""Every word on the screen: one table for each language, chosen by reason, state or label.

A sentence says what is so, its advice what to do. Placeholders: {who} {Who} the other side,
{desk} {product} {company} from the brand, {detail} a name or number of the event, {talked} how
long the call was, {phone} the brand's other telephone number.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.ui.english import ENGLISH
from applet.ui.vocabulary import Language, Say, Sentence, Word

if TYPE_CHECKING:
    from applet.brand import Brand
    from applet.phone.messages import Reason

__all__ = ["ENGLISH", "Language", "Say", "Sentence", "Speaker", "Word", "capital"]


class Speaker:
    """The sentences of one brand in one language."""

    __slots__ = ("_brand", "_language", "_names")

    def __init__(self, brand: Brand, language: Language = ENGLISH) -> None:
        self._brand = brand
        self._language = language
        self._names = {
            "product": brand.product,
            "company": brand.company,
            "desk": brand.texts.desk,
            # No-break spaces: a number is read as a whole.
            "phone": brand.support.fallback_phone.replace(" ", "\u00a0"),
            "welcome": brand.texts.welcome,
        }

    def word(self, word: Word, detail: str = "") -> str:
        return self._language.words[word].format(detail=detail, **self._names)

    def say(
        self,
        key: Say | Reason,
        who: str = "",
        detail: str = "",
        talked: str = "",
        said: str = "",
        retry_after: int = 0,
    ) -> Sentence:
        """The sentence for `key`, complete. `talked`: length of the call, empty if none. `said`:
        what the other side says of it in words of its own; `retry_after` seconds is when it wants
        to be tried again, 0 if it does not say."""
        headline, advice, offers_phone = self._language.sentences[key]
        filled = {
            "who": who or self._brand.texts.desk,
            "Who": capital(who or self._brand.texts.desk),
            "detail": detail or self.word(Word.A_DEVICE),
            "talked": self.word(Word.TALKED, talked) if talked else "",
            **self._names,
        }
        advice = self._try_again(retry_after) if retry_after else advice.format(**filled)
        if said:
            advice = f"{self.word(Word.THEY_SAY, said)} {advice}".rstrip()
        if offers_phone and self._brand.support.fallback_phone:
            advice = f"{advice} {self.word(Word.OTHER_PHONE)}"
        return Sentence(capital(headline.format(**filled)), advice, offers_phone)

    def _try_again(self, seconds: int) -> str:
        """In words that nobody has to calculate with."""
        if seconds < 90:
            return self.word(Word.TRY_IN_A_MINUTE)
        if seconds < 5400:
            return self.word(Word.TRY_IN_MINUTES, str(round(seconds / 60)))
        return self.word(Word.TRY_IN_HOURS, str(round(seconds / 3600)))


def capital(text: str) -> str:
    """`text` with its first letter in upper case, the rest as it is."""
    return text[:1].upper() + text[1:]
