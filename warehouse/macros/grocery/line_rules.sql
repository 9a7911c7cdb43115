{# The rules that a line must keep, in the order in which they are tried: a line is counted
   under the first that it breaks. `when` reads the columns of silver.grocery_checked_lines
   and `copy_number` (2 and more for repeats of a line) and `owner_count` (customers or stores
   of its basket, whichever are more). #}
{% macro grocery_line_rules() -%}
    {{ return([
        {'reason': 'customer_missing', 'rule': 'no customer id', 'when': 'customer_id is null'},
        {'reason': 'basket_missing', 'rule': 'no basket id', 'when': 'basket_id is null'},
        {'reason': 'product_missing', 'rule': 'no product id', 'when': 'product_id is null'},
        {'reason': 'store_missing', 'rule': 'no store id', 'when': 'store_id is null'},
        {
            'reason': 'date_impossible',
            'rule': 'no date or hour, one that cannot be read, before '
                ~ var('grocery_first_possible_date') ~ ', outside its week or after the build',
            'when': "bought_at is null or bought_at < cast('"
                ~ var('grocery_first_possible_date') ~ "' as timestamp) or bought_at > "
                ~ load_time(),
        },
        {
            'reason': 'number_unreadable',
            'rule': 'no quantity or spend, or one that is no finite number',
            'when': 'not coalesce(abs(quantity) < 1e12 and abs(spend_amount) < 1e12, false)',
        },
        {
            'reason': 'line_repeated',
            'rule': 'equal to an earlier line in every column',
            'when': 'copy_number > 1',
        },
        {
            'reason': 'basket_shared',
            'rule': 'its basket has lines of another customer or store',
            'when': 'owner_count > 1',
        },
        {'reason': 'spend_negative', 'rule': 'spend below zero', 'when': 'spend_amount < 0'},
        {'reason': 'quantity_negative', 'rule': 'quantity below zero', 'when': 'quantity < 0'},
        {'reason': 'quantity_zero', 'rule': 'quantity zero', 'when': 'quantity = 0'},
        {'reason': 'spend_zero', 'rule': 'spend zero', 'when': 'spend_amount = 0'},
    ]) }}
{%- endmacro %}
