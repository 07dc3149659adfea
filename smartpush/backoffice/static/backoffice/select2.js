// Select2 opens a list whose field says nothing of it: name the list for its field, and label the field of its search.
document.addEventListener('DOMContentLoaded', () => {
  const {jQuery} = window.django || {};
  if (!jQuery) return;
  jQuery(document).on('select2:open', ({target}) => {
    const {$selection, $dropdown} = jQuery(target).data('select2');
    const list = $dropdown.find('[role=listbox]');
    const words = target.labels?.[0]?.innerText.replace(/\*$/, '').trim() || target.getAttribute('aria-label') || 'the list';
    $selection.attr('aria-controls', list.attr('id'));
    list.attr('aria-label', words);
    $dropdown.find('.select2-search__field').attr('aria-label', `Search in ${words}`);
  });
  jQuery(document).on('select2:close', ({target}) => {
    jQuery(target).data('select2').$selection.removeAttr('aria-controls');
  });
});
