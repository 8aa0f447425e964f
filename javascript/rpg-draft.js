// What a draft of a plan is made of: the shape of Plan.to_dict(), but it may be unfinished.

/**
 * Under this key a region keeps {name, locked, hidden}. They tell how someone works on the plan, not what the picture shows: a
 * symbol, so that they move and are undone with the region but never get into the plan's JSON.
 */
const rpgMarks = Symbol("marks");
/** A number where the text is one; otherwise the text itself, so that Python can name it in its error. */
function rpgNumberOrText(text) {
    return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function rpgIsEmptyRegion({area, ...texts}) {
    return area === undefined && Object.values(texts).every((value) => String(value ?? "").trim() === "");
}

/** The fields of `data` that have a name in `names`, undefined where it lacks one. */
function rpgPick(data, names) {
    return Object.fromEntries(Object.keys(names).map((name) => [name, data[name]]));
}

/** A draft out of anything that JSON can hold, or null; what it says is kept as it is, `settings` that it lacks are unset. */
function rpgReadDraft(data, defaults, settings) {
    if (data === null || typeof data !== "object" || Array.isArray(data)) return null;
    const listed = typeof data.regions === "string" ? data.regions.split(/\s*\bBREAK\b\s*/) : data.regions;
    if (!Array.isArray(listed) || !listed.length) return null;
    const regions = listed.map((item) => (item !== null && typeof item === "object" ? item : {prompt: String(item)}));
    const columns = regions.filter(({area}) => area === undefined).map(() => "1");
    const former = data.version === 1 ? {latent_ratio: data.latent_ratio ?? 0, version: defaults.version} : {};
    return {...defaults, ...rpgPick({}, settings), split_ratio: columns.join(","), ...data, ...former, regions};
}

/** Two texts as one; neither is lost. */
function rpgJoinTexts(first, second) {
    const texts = [first, second].map((text) => String(text ?? "").trim()).filter(Boolean);
    return [...new Set(texts)].join(", ");
}
