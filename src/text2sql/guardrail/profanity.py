"""Which words count as profanity: glin-profanity's English list and plurals, less what databases hold."""

from collections.abc import Callable
from functools import cache

ORDINARY_WORDS: tuple[str, ...] = (
    # people, places, brands, titles, codes
    *("babeland", "barenaked", "bbw", "boner", "cumming", "dick", "fuk", "hooker", "jelly donut"),
    *("kinky", "lolita", "negro", "octopussy", "playboy", "santorum", "tainted love", "twinkie", "xx", "xxx"),
    # commerce, crafts, finance, sport, animals
    *("alaskan pipeline", "ass", "bareback", "bs", "butt", "cock", "cocks", "coon", "coons", "cornhole"),
    *("cum", "dingleberries", "dingleberry", "domination", "escort", "fingering", "hard core", "hardcore"),
    *(
        "hoe",
        "mf",
        "panties",
        "panty",
        "pegging",
        "rimming",
        "s&m",
        "scat",
        "scissoring",
        "sexy",
        "shrimping",
    ),
    *("simp", "skeet", "snatch", "snowballing", "spunk", "strap on", "suck", "sucks", "swinger", "tit"),
    *("topless", "tushy", "twink", "undressing", "vibrator"),
    # health, law, statistics
    *("anal", "anus", "big breasts", "bondage", "clitoris", "date rape", "ejaculation", "erotic", "eunuch"),
    *("fecal", "genitals", "grope", "how to kill", "how to murder", "incest", "intercourse", "nipple"),
    *("nipples", "nude", "nudity", "orgasm", "paedophile", "pedophile", "penis", "porn", "pornography"),
    *("rape", "rapist", "rectum", "sadism", "semen", "sex", "sexo", "sodomy", "strip club", "swastika"),
    *("vagina", "voyeur", "vulva"),
    # parts of honest sentences
    *("big black", "black cock", "girl on", "hot chick", "huge fat", "taste my", "tied up", "tight white"),
    *("tongue in a", "white power"),
)
"""Words of the library's list that name a customer, a column or a crime as often as they insult."""

MORE_WORDS: tuple[str, ...] = ("arsehole", "dickhead", "douchebag", "fucked", "fuckup", "wanker", "whore")
"""What the library's list lacks."""


def holds_profanity(text: str) -> bool:
    """Tell whether a whole word of the text is profane; letters hidden by `*` or accents count."""
    return _load_detector()(text)


@cache
def _load_detector() -> Callable[[str], bool]:
    from glin_profanity import Filter
    from glin_profanity.data.dictionary import dictionary

    listed = {*dictionary.get_words("english"), *MORE_WORDS} - {*ORDINARY_WORDS}
    words = Filter(
        {
            "languages": ["english"],
            "custom_words": [*MORE_WORDS, *(f"{word}s" for word in listed if word.isalpha())],
            "word_boundaries": True,
            "ignore_words": list(ORDINARY_WORDS),
            # Separators stay off: they read the column list "a.s, s" as one word.
            "obfuscation": {"level": "basic", "masking": True},
        }
    )

    def detect(text: str) -> bool:
        return bool(words.is_profane(text))

    return detect
