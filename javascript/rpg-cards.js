// The webui's cards of LoRA and other networks put their tag into the main prompt; here, into a region's that was written in last.

/** Tab -> the field of a region, or of the base or common prompt, that had the focus last; none after the main prompts had it. */
const rpgLastPrompts = {};

function rpgWatchPrompts(tab) {
    const fields = ".rpg-prompt, .rpg-base-prompt, .rpg-common-prompt";
    document.addEventListener("focusin", ({target}) => {
        if (target.closest(`#rpg-${tab}-editor`)?.contains(target.closest(fields))) rpgLastPrompts[tab] = target;
        else if (target.closest(`#${tab}_prompt, #${tab}_neg_prompt`)) delete rpgLastPrompts[tab];
    });
}

/** Where a card's text goes; null: where the webui puts it. */
function rpgCardTarget(tab) {
    const isOn = document.querySelector(`#rpg-${tab}-checkbox input`)?.checked;
    return isOn && rpgLastPrompts[tab]?.isConnected ? rpgLastPrompts[tab] : null;
}

if (typeof onUiLoaded === "function") {
    onUiLoaded(() => {
        const original = window.cardClicked;
        if (!original) return;
        ["txt2img", "img2img"].forEach(rpgWatchPrompts);
        window.cardClicked = (tab, text, negative, ...rest) => {
            const area = rpgCardTarget(tab);
            if (!area) return original(tab, text, negative, ...rest);
            updatePromptArea(text, area);
            if (negative) updatePromptArea(negative, document.querySelector(`#${tab}_neg_prompt textarea`), true);
        };
    });
}
