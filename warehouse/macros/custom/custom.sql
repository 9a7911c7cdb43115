{# A transaction log of the user's own, typed and named by variables that new_study.py sets:
   custom_schema and custom_table, custom_name for the relations made, and its columns custom_customer,
   custom_time, custom_amount, custom_product, custom_category, custom_channel and custom_basket
   (empty where the log has none). #}
{% macro custom_column(which) -%}
    "{{ var('custom_' ~ which, '') | replace('"', '""') }}"
{%- endmacro %}

{# A column of the log as text, or what stands for it where the log has none. #}
{% macro custom_text(which, otherwise) -%}
    {%- if var('custom_' ~ which, '') -%}
        {{ code('cast(' ~ custom_column(which) ~ ' as string)') }}
    {%- else -%}
        {{ otherwise }}
    {%- endif -%}
{%- endmacro %}

{# Units of a line: what its quantity says without its sign, one at least, and one without it. #}
{% macro custom_units() -%}
    {%- if var('custom_quantity', '') -%}
        greatest(coalesce(abs(try_cast({{ custom_column('quantity') }} as bigint)), 1), 1)
    {%- else -%}
        1
    {%- endif -%}
{%- endmacro %}

{% macro custom_log() -%}
    {{ return(adapter.dispatch('custom_log', 'segmenthouse')()) }}
{%- endmacro %}

{% macro default__custom_log() -%}
    "{{ var('custom_schema', '') | replace('"', '""') }}"."{{ var('custom_table', '') | replace('"', '""') }}"
{%- endmacro %}

{# The rules that a line of the log must keep; `when` reads a relation named lines. #}
{% macro custom_line_rules() -%}
    {%- set first_date = var('first_possible_date') -%}
    {{ return([
        {
            'reason': 'not_asked_for',
            'rule': 'not among the lines that the user asked for',
            'when': "lines.left_out = 'not_asked_for'",
        },
        {
            'reason': 'no_transaction',
            'rule': 'a row of totals, a description, or a line of another width',
            'when': 'lines.left_out is not null',
        },
        {
            'reason': 'customer_missing',
            'rule': 'no customer',
            'when': 'lines.customer_id is null',
        },
        {
            'reason': 'product_missing',
            'rule': 'no product',
            'when': 'lines.product_id is null',
        },
        {
            'reason': 'basket_missing',
            'rule': 'no basket',
            'when': 'lines.order_id is null',
        },
        {
            'reason': 'time_unreadable',
            'rule': 'no time, or a text that is none',
            'when': 'lines.happened_at is null',
        },
        {
            'reason': 'time_impossible',
            'rule': 'before ' ~ first_date ~ ' or after the build',
            'when': "lines.happened_at < cast('" ~ first_date
                ~ "' as timestamp) or lines.happened_at > " ~ load_time(),
        },
        {
            'reason': 'amount_unreadable',
            'rule': 'no amount, or a text that is no number',
            'when': 'lines.amount is null',
        },
        {
            'reason': 'amount_zero',
            'rule': 'amount under half a cent',
            'when': 'lines.amount = 0',
        },
    ]) }}
{%- endmacro %}
