{# The rules that an order must keep, in the order in which they are tried; `when` is read in
   silver.retail_org_checked_orders. #}
{% macro retail_org_order_rules() -%}
    {%- set first_date = var('first_possible_date') -%}
    {%- set still_to_come = still_to_come_rules('retail_org_until', 'parsed.ordered_at') -%}
    {{ return(still_to_come + [
        {
            'reason': 'customer_missing',
            'rule': 'no customer id',
            'when': 'parsed.customer_id is null',
        },
        {
            'reason': 'order_missing',
            'rule': 'no order number',
            'when': 'parsed.order_id is null',
        },
        {
            'reason': 'time_blank',
            'rule': 'order_datetime is blank',
            'when': 'parsed.order_time_text is null',
        },
        {
            'reason': 'time_unreadable',
            'rule': 'order_datetime counts no seconds since 1970',
            'when': 'parsed.ordered_at is null',
        },
        {
            'reason': 'time_impossible',
            'rule': 'ordered before ' ~ first_date ~ ' or after the build',
            'when': "parsed.ordered_at < cast('" ~ first_date
                ~ "' as timestamp) or parsed.ordered_at > " ~ load_time(),
        },
        {
            'reason': 'order_repeated',
            'rule': 'the order number stands on another order already',
            'when': 'parsed.copy_number > 1',
        },
        {
            'reason': 'lines_missing',
            'rule': 'no product was ordered',
            'when': 'parsed.line_count = 0',
        },
    ]) }}
{%- endmacro %}

{# The rules that a line of a sound order must keep. #}
{% macro retail_org_line_rules() -%}
    {{ return([
        {
            'reason': 'order_rejected',
            'rule': 'its order was rejected',
            'when': 'unnested.order_rejection_reason is not null',
        },
        {
            'reason': 'product_missing',
            'rule': 'no product id',
            'when': 'unnested.product_id is null',
        },
        {
            'reason': 'number_unreadable',
            'rule': 'quantity or price missing or no number',
            'when': 'unnested.unit_count is null or unnested.unit_price is null',
        },
        {
            'reason': 'quantity_not_positive',
            'rule': 'quantity is 0 or below',
            'when': 'unnested.unit_count <= 0',
        },
        {
            'reason': 'price_not_positive',
            'rule': 'price is 0 or below',
            'when': 'unnested.unit_price <= 0',
        },
    ]) }}
{%- endmacro %}
