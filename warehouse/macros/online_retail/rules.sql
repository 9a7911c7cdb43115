{# The rules that a line must keep, in the order in which they are tried; `when` reads a relation
   named checked, of silver.online_retail_numbered_lines. #}
{% macro online_retail_line_rules() -%}
    {%- set first_date = var('first_possible_date') -%}
    {%- set still_to_come = still_to_come_rules('online_retail_until', 'checked.invoiced_at') -%}
    {{ return(still_to_come + [
        {
            'reason': 'customer_missing',
            'rule': 'no customer id',
            'when': 'checked.customer_id is null',
        },
        {
            'reason': 'line_repeated',
            'rule': 'equal to another line in every column',
            'when': 'checked.copy_number > 1',
        },
        {
            'reason': 'invoice_missing',
            'rule': 'no invoice number',
            'when': 'checked.invoice_id is null',
        },
        {
            'reason': 'product_missing',
            'rule': 'no stock code',
            'when': 'checked.product_id is null',
        },
        {
            'reason': 'no_product',
            'rule': 'the stock code is one of bronze.online_retail_service_codes: postage, fees,'
                ~ ' discounts, vouchers',
            'when': 'checked.service is not null',
        },
        {
            'reason': 'time_impossible',
            'rule': 'time missing, before ' ~ first_date ~ ' or after the build',
            'when': "checked.invoiced_at is null or checked.invoiced_at < cast('" ~ first_date
                ~ "' as timestamp) or checked.invoiced_at > " ~ load_time(),
        },
        {
            'reason': 'number_unreadable',
            'rule': 'quantity or price missing or no number, or a quantity that is not whole',
            'when': 'checked.quantity is null or checked.unit_price is null',
        },
        {
            'reason': 'quantity_zero',
            'rule': 'quantity is 0',
            'when': 'checked.quantity = 0',
        },
        {
            'reason': 'price_negative',
            'rule': 'price below 0',
            'when': 'checked.unit_price < 0',
        },
        {
            'reason': 'price_zero',
            'rule': 'price under half a penny: a gift or a correction',
            'when': 'checked.unit_price = 0',
        },
        {
            'reason': 'return_without_credit_note',
            'rule': 'negative quantity on an invoice that is no credit note',
            'when': "checked.quantity < 0 and not checked.is_credit_note",
        },
        {
            'reason': 'credit_note_of_a_sale',
            'rule': 'positive quantity on a credit note',
            'when': "checked.quantity > 0 and checked.is_credit_note",
        },
    ]) }}
{%- endmacro %}

{# The retailer gives no categories. The first three of the five digits of a stock code stand for
   ranges that were taken up together; a code of another form is a category of its own. #}
{% macro online_retail_category(product_id) -%}
    substring({{ product_id }}, 1, 3)
{%- endmacro %}
