"""Invented names and sentences, in several languages and both writing directions."""

# ruff: noqa: RUF001 - other alphabets are the point of this file

from __future__ import annotations

from random import Random

FIRST_NAMES = (
    "Alma", "Bruno", "Carla", "Dario", "Elif", "Fabio", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Lena",
    "Milo", "Nora", "Oskar", "Paula", "Quentin", "Rosa", "Selim", "Tilda", "Ugo", "Vera", "Wanda", "Xenia",
    "Yusuf", "Zoe", "Amira", "Benno", "Chiara", "Dilan", "Emre", "Frida", "Gino", "Hanna", "Ivo", "Juna",
)  # fmt: skip
LAST_NAMES = (
    "Abelmann", "Brisk", "Castello", "Dornbusch", "Eriksen", "Falkner", "Grünwald", "Halloran", "Ilves",
    "Janda", "Kestrel", "Lindqvist", "Moravec", "Nightingale", "O'Rourke", "Petrov", "Quill", "Rosenfeld",
    "Sandoval", "Thorne", "Ünal", "Valente", "Westergaard", "Ximenes", "Yılmaz", "Zeller",
)  # fmt: skip
RTL_NAMES = ("ليلى حدّاد", "יעל ברק", "سامي النجّار", "נועם שלו")
PUSH_NAMES = ("sunny", "Kap'tn", "🌻 flora", "mr_beans", "Oma Trude", "ZZ", "lo-fi", "Ayşe")
GROUP_SUBJECTS = (
    "Allotment 12", "Book club", "Sunday football", "House share", "Choir altos", "Trail runners",
    "Parents 4b", "Board games", "Carpool north", "Street party", "Bread bakers", "Old classmates",
)  # fmt: skip
EMOJI_SUBJECTS = ("🎉 Surprise party 🎂", "Hikers 🥾⛰️", "👩‍🍳 Supper club")

_SENTENCES = {
    "en": (
        "Are we still on for tomorrow?", "I left the keys under the blue pot.", "The train is late again.",
        "Can you bring the long ladder?", "Thanks, that helped a lot!", "See you at the usual place.",
        "The meeting moved to the small room.", "Did you feed the cat?", "I'll call you after lunch.",
        "No rush, next week is fine.", "The soup needs more salt.", "We are five people now.",
        "My phone is nearly empty.", "That was a lovely evening 😊", "Who has the receipt for the paint?",
        "I found your umbrella.", "Let's take the early ferry.", "It is raining sideways here ☔",
        "Don't forget the charger.", "The plumber comes between nine and eleven.", "Sounds good 👍",
        "I'm running ten minutes late.", "Please water the tomatoes.", "Good night!", "Ok", "Yes", "Haha 😂",
    ),
    "de": (
        "Ich bin gleich da.", "Hast du den Schlüssel?", "Schöne Grüße aus Görlitz!", "Das passt mir gut.",
        "Bitte noch Brötchen mitbringen 🥐", "Morgen um halb acht?",
    ),
    "es": (
        "¿Nos vemos en la plaza?", "Ya salí de casa.", "¡Qué alegría! 🎉", "Mañana te lo llevo.",
        "No encuentro el paraguas.", "Llego en cinco minutos.",
    ),
    "pt": ("Já está pronto o café?", "Amanhã não posso, desculpa.", "Ficou ótimo! 👏", "Vou de comboio."),
    "fr": ("On se retrouve à la gare ?", "J'ai oublié mon écharpe.", "Ça marche, à demain !"),
    "tr": ("Yarın görüşürüz.", "Anahtarı masaya bıraktım.", "Çok güzel olmuş 😍", "Şimdi yoldayım."),
    "ru": ("Я уже в пути.", "Завтра не получится.", "Спасибо большое! 🙏"),
    "hi": ("मैं रास्ते में हूँ।", "कल मिलते हैं।", "बहुत अच्छा 🙂"),
    "ja": ("今から行きます。", "明日は大丈夫?", "ありがとう 😊"),
    "ar": ("أنا في الطريق.", "نلتقي غدًا إن شاء الله 🌙", "هل وصلت الرسالة؟", "شكرًا جزيلًا"),
    "he": ("אני בדרך.", "נתראה מחר בערב 🙂", "תודה רבה!", "איפה השארת את המפתח?"),
}  # fmt: skip
_COMMON = ("en",) * 12
_OTHERS = tuple(language for language in _SENTENCES if language != "en")

CAPTIONS = (
    "View from the roof", "This is the one I meant", "Before and after", "Found it! 🎯", "المنظر من هنا",
    "Look at the *size* of that", "Der neue Zaun", "Second try",
)  # fmt: skip
FILE_NAMES = (
    ("timetable.pdf", "application/pdf"),
    (
        "minutes of the meeting.docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("budget 2026.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("Übersicht – final (2).pdf", "application/pdf"),
    ("notes.txt", "text/plain"),
)
EMOJI_ONLY = ("👍", "😂😂😂", "❤️", "🙏", "🎉🎉", "👩‍👩‍👧‍👦", "🤷🏽‍♀️", "🇵🇹")
REACTIONS = ("👍", "❤️", "😂", "😮", "🙏", "🎉")
PLACES = (
    ("Mill Bridge Café", "3 Mill Lane"),
    ("North Pier", None),
    (None, None),
    ("Sporthalle West", "Am Anger 17, 02826"),
)
QUESTIONS = (
    ("Which day suits you?", ("Friday", "Saturday", "Sunday 🌞")),
    ("What shall we eat?", ("Pizza", "Dumplings")),
    ("Same place as last time?", ("Yes", "No", "I do not care", "Let's vote again")),
)
LINKS = (
    ("https://maps.example.org/route/17", "Route 17", "A walk along the river", "maps.example.org"),
    ("https://bakery.example.com/rye?loaf=2", "Rye bread, two loaves", "Step by step", "bakery.example.com"),
)

#: Raw text as typed, with the marks from which the page makes bold, lists and so on.
FORMATTED = (
    "This is *bold*, this is _italic_ and this is ~struck~.",
    "*_Both at once_* and `some code` inline",
    "Shopping:\n- bread\n- oat milk\n- two *ripe* lemons",
    "Steps:\n1. open the lid\n2. press the red button\n3. wait",
    "* first star\n* second star",
    "> as I said before\nand now the answer",
    "```\nfor i in 1 2 3\n  echo $i\n```",
    "The value of a_b_c is 3 * 4 * 5, not 2*3",
    "One paragraph.\n\nAnother one after an empty line.",
    "فقرة أولى *مهمة*\nAnd an English line below",
    "Mail me at post@example.org or call +1 555 010 0199",
)


def sentence(random: Random) -> str:
    """Return a short message, mostly English, often unlike any before."""
    language = random.choice(_COMMON + _OTHERS)
    pool = _SENTENCES[language]
    text = random.choice(pool)
    shape = random.randrange(10)
    if shape < 3:  # noqa: PLR2004 - three in ten say two things
        text = f"{text} {random.choice(pool)}"
    elif shape == 3:  # noqa: PLR2004 - one in ten on two lines
        text = f"{text}\n{random.choice(pool)}"
    elif shape == 4:  # noqa: PLR2004 - one in ten with a number
        text = f"{text} ({random.randrange(2, 9999)})"
    return text


def long_text(random: Random, characters: int) -> str:
    """Return a text just longer than `characters`."""
    parts: list[str] = []
    length = 0
    while length <= characters:
        part = random.choice(_SENTENCES["en"] + _SENTENCES["de"])
        parts.append(part)
        length += len(part) + 1
    return " ".join(parts)


def person_name(random: Random) -> str:
    return f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"
