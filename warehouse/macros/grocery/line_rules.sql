{# The rules that a line must keep, in the order in which they are tried: a line is counted
   under the first that it breaks. `when` is read in silver.grocery_checked_lines, where
   copy_number is 2 and more for a repeated line. #}
{% macro grocery_line_rules() -%}
    {%- set first_date = var('grocery_first_possible_date') -%}
    {%- set still_to_come = still_to_come_rules('grocery_until', 'numbered.bought_at') -%}
    {%- set undefined = [
        {
            'reason': 'basket_undefined',
            'rule': 'size, type, mission, price sensitivity or life stage of the basket is XX, which'
                ~ ' var grocery_leave_out_undefined leaves out',
            'when': "numbered.basket_size = 'XX' or numbered.basket_type = 'XX'"
                ~ " or numbered.basket_mission = 'XX' or numbered.basket_price_sensitivity = 'XX'"
                ~ " or shoppers.life_stage = 'XX'",
        },
    ] if leaves_out_undefined() else [] -%}
    {{ return(still_to_come + [
        {
            'reason': 'customer_missing',
            'rule': 'no customer id',
            'when': 'numbered.customer_id is null',
        },
        {
            'reason': 'basket_missing',
            'rule': 'no basket id',
            'when': 'numbered.basket_id is null',
        },
        {
            'reason': 'product_missing',
            'rule': 'no product id',
            'when': 'numbered.product_id is null',
        },
        {
            'reason': 'store_missing',
            'rule': 'no store id',
            'when': 'numbered.store_id is null',
        },
        {
            'reason': 'date_impossible',
            'rule': 'date or hour missing, unreadable, before ' ~ first_date
                ~ ', outside its week or after the build',
            'when': "numbered.bought_at is null or numbered.bought_at < cast('" ~ first_date
                ~ "' as timestamp) or numbered.bought_at > " ~ load_time(),
        },
        {
            'reason': 'number_unreadable',
            'rule': 'quantity or spend missing, no number, or a quantity that is not whole',
            'when': 'numbered.quantity is null or numbered.spend_amount is null',
        },
        {
            'reason': 'line_repeated',
            'rule': 'equal to another line in every column',
            'when': 'numbered.copy_number > 1',
        },
        {
            'reason': 'basket_shared',
            'rule': 'its basket has lines of another customer or store',
            'when': 'numbered.is_shared',
        },
        {
            'reason': 'spend_negative',
            'rule': 'spend below zero',
            'when': 'numbered.spend_amount < 0',
        },
        {
            'reason': 'quantity_negative',
            'rule': 'quantity below zero',
            'when': 'numbered.quantity < 0',
        },
        {
            'reason': 'quantity_zero',
            'rule': 'quantity zero',
            'when': 'numbered.quantity = 0',
        },
        {
            'reason': 'spend_zero',
            'rule': 'quantity above zero, spend zero',
            'when': 'numbered.spend_amount = 0',
        },
    ] + undefined) }}
{%- endmacro %}

{# Whether baskets with an undefined kind or life stage are left out; the variable may be a text. #}
{% macro leaves_out_undefined() -%}
    {{ return(var('grocery_leave_out_undefined') | string | lower == 'true') }}
{%- endmacro %}
