// The page's own words. What the desk and people write is never touched.

import en from "./texts/en.js";
import kk from "./texts/kk.js";
import ru from "./texts/ru.js";

const languages = { en, ru, kk };
export const languageNames = { kk: "Қазақша", ru: "Русский", en: "English" };

function preferred() {
  const kept = localStorage.getItem("language");
  const wanted = [kept, ...navigator.languages].filter(Boolean).map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag) => tag in languages) ?? "en";
}

export const language = preferred();

export function setLanguage(tag) {
  localStorage.setItem("language", tag);
  location.reload();
}

export function t(key, ...values) {
  const text = languages[language][key];
  return typeof text === "function" ? text(...values) : text;
}

/** The choice of language as lines of a menu. */
export const languageEntries = () =>
  Object.entries(languageNames).map(([tag, label]) => ({
    label,
    checked: tag === language,
    run: () => setLanguage(tag),
  }));
