// The clipboard of today is closed to pages without https, and to some browsers inside of apps.
for (const button of document.querySelectorAll("button[data-of]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.of);
    getSelection().selectAllChildren(field);
    try {
      await navigator.clipboard.writeText(field.textContent);
    } catch {
      if (!document.execCommand("copy")) return;
    }
    button.textContent = button.dataset.copied;
  });
}
