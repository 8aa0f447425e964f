// The page's words in the user's language: localizations/*.json, by English text. The webui replaces exact texts by itself; here are
// the editor's own, and sentences with values: a key such as "mask has {1} bytes." stands for every such sentence.

/** English texts and their translations: the webui's own object, or what rpg/panel/app.py gave the page. */
const rpgLocalization = () => window.localization ?? {};

/** The text in the user's language, with the values in the places of {1}, {2}, ... */
function rpgWords(text, ...values) {
    const said = rpgLocalization()[text] ?? text;
    return values.length ? said.replace(/\{(\d)\}/g, (_, number) => values[number - 1]) : said;
}

/** Keys with values as patterns, those that say most first. */
class RpgSentences {
    constructor(words) {
        this.words = words;
        this.known = new Map();
        const keys = Object.keys(words).filter((key) => /\{\d\}/.test(key) && /[a-z]{2}/.test(key));
        const said = (key) => key.replace(/\{\d\}/g, "").length;
        keys.sort((a, b) => said(b) - said(a));
        this.patterns = keys.map((key) => ({key, strict: rpgPattern(key, "(?:(?!\\. [A-Z])[^])*?"), loose: rpgPattern(key, "[^]*?")}));
    }

    /** The sentence or sentences in the user's language; what is not known stays as it is. */
    translate(text) {
        if (!this.known.has(text)) this.known.set(text, this.find(text) ?? text);
        return this.known.get(text);
    }

    find(text) {
        const [, before, sentence, after] = text.match(/^(\s*)([^]*?)(\s*)$/);
        if (!/[a-z]{2}/.test(sentence) || /^('[^']*'|"[^"]*")$/.test(sentence)) return null;
        const [, kind, told] = sentence.match(/^(\w+Error: )([^]+)$/) ?? []; // as the webui shows it below the picture
        if (kind) return kind + this.translate(told);
        const found = this.words[sentence] ?? this.whole(sentence, "strict") ?? this.pair(sentence) ?? this.whole(sentence, "loose");
        return found === null ? null : before + found + after;
    }

    whole(sentence, kind) {
        for (const {key, [kind]: pattern} of this.patterns) {
            const match = sentence.match(pattern);
            if (match) return this.words[key].replace(/\{(\d)\}/g, (_, number) => this.translate(match[number]));
        }
        return null;
    }

    /** Two sentences or more, one after the other. */
    pair(sentence) {
        for (const {index} of sentence.matchAll(/[.)] (?=\S)/g)) {
            const first = this.find(sentence.slice(0, index + 1));
            if (first !== null) return `${first} ${this.translate(sentence.slice(index + 2))}`;
        }
        return null;
    }
}

/** A key as a pattern of its sentences; sentences within a sentence stand at its ends only. */
function rpgPattern(key, inner) {
    const parts = key.split(/\{\d\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const quoted = "'[^']*'|\"[^\"]*\""; // as Python shows texts
    const isEnd = (place) => (place === 1 && !parts[0]) || (place === parts.length - 1 && !parts[place]);
    const value = (place) => `(${quoted}|${isEnd(place) ? "[^]*?" : inner})`;
    return new RegExp(`^${parts.map((part, place) => (place ? value(place) + part : part)).join("")}$`);
}

/** Translate what stands below the elements of `scope` (a selector), now and whenever it changes. */
function rpgTranslatePage(scope) {
    if (!Object.keys(rpgLocalization()).length) return;
    const sentences = new RpgSentences(rpgLocalization());
    const said = (text) => sentences.translate(text);
    const change = (holder, name) => {
        const text = holder[name];
        if (text && said(text) !== text) holder[name] = said(text);
    };
    const visit = (node) => {
        if (node.nodeType === Node.TEXT_NODE) {
            if (!node.parentElement?.closest("script, style, textarea, .rpg-editor")) change(node, "data");
        } else if (node.nodeType === Node.ELEMENT_NODE && !node.matches(".rpg-editor")) {
            if (node.placeholder) change(node, "placeholder");
            node.childNodes.forEach(visit);
        }
    };
    const visitWithin = (node) => {
        const element = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
        if (element?.closest(scope)) visit(node);
        else element?.querySelectorAll(scope).forEach(visit);
    };
    // Gradio shows a dropdown's choice as the value of a field, which is no text for the webui to translate.
    const visitChoices = () => document.querySelectorAll(".rpg-panel .secondary-wrap input").forEach((field) => change(field, "value"));
    new MutationObserver((mutations) => {
        for (const {type, target, addedNodes} of mutations) {
            if (type === "childList") addedNodes.forEach(visitWithin);
            else visitWithin(target);
        }
        visitChoices();
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
    visitWithin(document.body);
    visitChoices();
}
