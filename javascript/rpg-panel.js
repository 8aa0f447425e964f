// Ties each layout editor to the Gradio components around it. Gradio calls these functions by name (rpg/panel/panel.py).

const rpgEditors = {};

function rpgPlanTextarea(tab) {
    return document.querySelector(`#rpg-${tab}-plan textarea`);
}

/** Gradio listens for "input" events, not for changes of a value. */
function rpgType(area, text) {
    area.value = text;
    area.dispatchEvent(new Event("input", {bubbles: true}));
}

/** Let the chosen planner plan a caption: it becomes the main prompt where there is none. */
function rpgPlanCaption(tab, caption) {
    const [main, own] = [rpgMainPromptArea(tab), document.querySelector(`#rpg-${tab}-caption textarea`)];
    rpgType(main && !main.value.trim() && !own.value.trim() ? main : own, caption);
    setTimeout(() => document.querySelector(`#rpg-${tab}-plan-button`).click());
}

function rpgMount() {
    for (const root of document.querySelectorAll(".rpg-editor:empty")) {
        const {rpgTab: tab, rpgDefaults: defaults, rpgSettings: settings, rpgLimits: limits, rpgLora: lora} = root.dataset;
        Object.assign(rpgLimits, JSON.parse(limits));
        rpgEditors[tab] = new RpgEditor(root, JSON.parse(defaults), JSON.parse(settings), rpgHost(tab, JSON.parse(lora)));
        rpgEditors[tab].load(rpgPlanTextarea(tab).value);
    }
}

/** What an editor needs of the page around it. */
function rpgHost(tab, lora) {
    const backdrops = [["", "No backdrop"], ["made", "Last picture"]];
    if (tab === "img2img") backdrops.push(["given", rpgWords("img2img picture")]);
    return {
        tab,
        lora,
        backdrops,
        write: (json) => rpgType(rpgPlanTextarea(tab), json),
        size: () => rpgSize(tab),
        picture: (name) => rpgPicture(tab, name),
        plan: (caption) => rpgPlanCaption(tab, caption),
    };
}

/**
 * The hidden textbox has a new value: our own comes back to us, others' (planner, paste) are shown.
 * @returns whether the planning is left to Generate
 */
async function rpgPlanChanged(tab) {
    rpgMount();
    // Gradio tells before it draws, and tells of several quick edits late: only what the textbox says in the end counts.
    await new Promise((resolve) => setTimeout(resolve));
    rpgEditors[tab].load(rpgPlanTextarea(tab).value);
    return Boolean(rpgEditors[tab].planner);
}

/** Leave the planning to Generate, with these settings, or to the Plan button. `names` tells the planners' names by label. */
function rpgSetPlanner(tab, names, onGenerate, label, model, baseUrl, template, caption, fallback) {
    rpgMount();
    const settings = {provider: names[label], model, base_url: baseUrl, template, caption, fallback: fallback ? "rules" : ""};
    const given = Object.entries(settings).filter(([, value]) => value?.trim());
    rpgEditors[tab].setPlanner(onGenerate ? Object.fromEntries(given) : null);
    return [];
}

/** What Generate shall do with new pictures, as JSON; "" is nothing. `names` tells the critics' names by label. */
function rpgRefinement(names, onGenerate, critic, rounds, cutOut, sam, planner, model, baseUrl) {
    if (!onGenerate) return "";
    const settings = {provider: names[critic] ?? names[planner], rounds, cut_out: cutOut, sam, show_rounds: true};
    if (!names[critic]) Object.assign(settings, {model: model ?? "", base_url: baseUrl});
    return JSON.stringify(settings);
}

/** Which picture of the gallery is selected; the first where none is. */
function rpgSelected(tab) {
    const small = document.querySelectorAll(`#${tab}_gallery .thumbnail-small, #rpg-${tab}-gallery .thumbnail-small`);
    return Math.max(0, [...small].findIndex((element) => element.classList.contains("selected")));
}

const rpgRetouches = {};

/** Show a mask that waits to be repainted (see rpg/editing/waiting.py), or take it away. */
function rpgShowMask(tab, text) {
    rpgRetouches[tab] ??= new RpgRetouch(document.querySelector(`.rpg-retouch[data-rpg-tab="${tab}"]`));
    rpgRetouches[tab].show(text);
    return [];
}

/** Which picture a button works on, and what of the page it needs (rpg/editing/actions.py): both as texts. */
function rpgChosen(tab, action) {
    const retouch = rpgRetouches[tab];
    if (action === "repaint" && retouch?.text) return [String(retouch.place), retouch.text];
    const {draft, selected} = rpgEditors[tab].model;
    return [String(rpgSelected(tab)), action === "region" ? JSON.stringify({plan: draft, region: selected}) : ""];
}

/** A button works on the selected picture as a job of the webui: with its progress bar, and Interrupt in Generate's place. */
function rpgStartJob(tab, action, values) {
    const [id, gallery] = [randomId(), document.getElementById(`${tab}_gallery`)];
    showSubmitButtons(tab, false);
    requestProgress(id, document.getElementById(`${tab}_gallery_container`), gallery, () => showSubmitButtons(tab, true));
    const [, , pictures, told, , ...others] = values;
    const [place, page] = rpgChosen(tab, action);
    return [id, place, pictures, told, page, ...others];
}

/** The draft as JSON, also where it is what stands for nothing planned yet. */
function rpgDraft(tab) {
    return JSON.stringify(rpgEditors[tab].model.draft);
}

function rpgDownload(tab) {
    const address = URL.createObjectURL(new Blob([rpgDraft(tab)], {type: "application/json"}));
    rpgElement("a", {href: address, download: "rpg-plan.json"}).click();
    setTimeout(() => URL.revokeObjectURL(address));
    return [];
}

function rpgMainPromptArea(tab) {
    return document.querySelector(`#${tab}_prompt textarea, #rpg-${tab}-prompt textarea`);
}

function rpgMainPrompt(tab) {
    return rpgMainPromptArea(tab)?.value ?? "";
}

/** {width, height} of the picture to be made; 0 where the page does not say. */
function rpgSize(tab) {
    const side = (name) => Number(document.querySelector(`#${tab}_${name} input, #rpg-${tab}-${name} input`)?.value ?? 0);
    return {width: side("width"), height: side("height")};
}

/** The address of the picture made last ("made") or of the one that img2img starts from ("given"); "" where there is none. */
function rpgPicture(tab, name) {
    const places = {
        made: [`#${tab}_gallery .preview > img`, `#${tab}_gallery img`, `#rpg-${tab}-gallery .preview > img`, `#rpg-${tab}-gallery img`],
        given: ["#img2img_image img"],
    };
    return places[name].map((place) => document.querySelector(place)?.src).find(Boolean) ?? "";
}

/** How long the planner has been at work, on the button that stops it (style.css shows it). */
function rpgCountSeconds(tab) {
    const button = document.querySelector(`#rpg-${tab}-stop-button`);
    if (!button.checkVisibility()) return delete button.dataset.rpgSince;
    button.dataset.rpgSince ??= Date.now();
    button.dataset.rpgSeconds = `${Math.floor((Date.now() - button.dataset.rpgSince) / 1000)} s`;
}

function rpgFollowPages() {
    for (const [tab, editor] of Object.entries(rpgEditors)) {
        editor.followPage();
        rpgCountSeconds(tab);
    }
}

setInterval(rpgFollowPages, 250);
if (typeof onAfterUiUpdate === "function") {
    onAfterUiUpdate(rpgMount);
    onUiLoaded(() => rpgTranslatePage(".rpg-message, [id^=html_log_]")); // the rest the webui translates
} else {
    setTimeout(rpgMount); // once all scripts are there
    setTimeout(() => rpgTranslatePage("body"));
}
