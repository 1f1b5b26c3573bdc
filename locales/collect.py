"""Collects the texts of the code into the catalogues; new ones come empty, dropped ones go. `make catalogues`."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).resolve().parent
SOURCES = ("bot", "app", "web", "crm", "mailbridge")
KEYWORDS = {"t": None, "n": (1, 2)}


def collected() -> Catalog:
    template = Catalog()
    for folder in SOURCES:
        for _, _, message, _, _ in extract_from_dir(HERE.parent / folder, [("**.py", "python")], keywords=KEYWORDS):
            template.add(message)
    return template


def main() -> None:
    for path in sorted(HERE.glob("*/LC_MESSAGES/kezekshi.po")):
        language = path.parts[-3]
        with path.open("rb") as source:
            catalogue = read_po(source, locale=language)
        # Anew for each: a catalogue takes over the very objects of its template.
        catalogue.update(collected(), no_fuzzy_matching=True)
        for message in catalogue:
            if language == "en" and message.id and not any(message.string or ()):
                message.string = message.id
            message.flags.discard("python-format")
        with path.open("wb") as target:
            write_po(target, catalogue, width=0, sort_output=True, ignore_obsolete=True, omit_header=True)
        header = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        header += f'"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
        path.write_text(header + path.read_text("utf-8"), "utf-8")
        print(f"{language}: {sum(not any(m.string or ()) for m in catalogue if m.id)} to translate")


if __name__ == "__main__":
    main()
